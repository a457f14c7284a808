import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu account shares`: for whom the account keeps a share. */
export function accountShares(context: CliContext): Command {
  return withAccountOption(newCommand('shares', context))
    .description("List the shares of other people's words that an account keeps")
    .action(async ({ account }: { account?: string }) => {
      const shares = await (await clientOf(context, account)).shares()
      await context.output.result({ shares }, () =>
        shares.length === 0
          ? ['no share is kept here']
          : shares.map(
              ({ name, need, of, number, receivedAt, id }) =>
                `${name}  share ${number} of ${of}, ${need} are needed, since ${receivedAt}  ${id}`,
            ),
      )
    })
}
