import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import { expectYes } from './confirm.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

interface Options {
  readonly account?: string
  readonly yes?: boolean
}

/** `abzu account delete`: an account leaves this node for good. */
export function accountDelete(context: CliContext): Command {
  return withAccountOption(newCommand('delete', context))
    .description(
      'Delete an account, its keys first; an Adult whom an Admin removes has 30 days to leave',
    )
    .argument('<who>', 'name or id')
    .option('--yes', 'do not ask')
    .action(async (who: string, { account, yes = false }: Options) => {
      const client = await clientOf(context, account)
      if (!yes) await expectYes(context, `Delete ${who}? Nothing here brings it back.`)
      const told = await client.deleteAccount(who)
      const leavesAt = told.account?.leavesAt
      await context.output.result(told, () =>
        leavesAt === undefined
          ? [`${who} is deleted.`]
          : [
              `${who} leaves on ${leavesAt.slice(0, 10)}, and can take everything along until then: abzu account export`,
              `Back out: abzu account keep ${who}`,
            ],
      )
    })
}
