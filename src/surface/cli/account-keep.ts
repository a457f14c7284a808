import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu account keep`: an Adult who was to leave stays. */
export function accountKeep(context: CliContext): Command {
  return withAccountOption(newCommand('keep', context))
    .description('Let an Adult stay whom an Admin has removed')
    .argument('<who>', 'name or id')
    .action(async (who: string, { account }: { readonly account?: string }) => {
      const kept = await (await clientOf(context, account)).keepAccount(who)
      await context.output.result(kept, () => [`${kept.name} stays.`])
    })
}
