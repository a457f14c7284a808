import { Argument, type Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

type Strangers = 'welcome' | 'refused'

/** `abzu contact strangers`: whether people who know only the address may write. */
export function contactStrangers(context: CliContext): Command {
  return withAccountOption(newCommand('strangers', context))
    .description('Say, or choose, whether people who know only the address may write')
    .addArgument(
      new Argument('[choice]', 'what to do with their letters').choices(['welcome', 'refused']),
    )
    .action(async (choice: Strangers | undefined, { account }: { account?: string }) => {
      const client = await clientOf(context, account)
      if (choice) await client.letStrangersBe(choice)
      const strangers = choice ?? (await client.strangers())
      await context.output.result({ strangers }, () => [
        strangers === 'welcome'
          ? 'Whoever knows the address can write, and is shown as a request.'
          : 'Only contacts and holders of a link can write.',
      ])
    })
}
