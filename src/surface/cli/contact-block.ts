import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu contact block`: no more messages from a contact. */
export function contactBlock(context: CliContext): Command {
  return withAccountOption(newCommand('block', context))
    .description('Take no more messages from a contact; adding them again lifts it')
    .argument('<contact>', 'name or address')
    .action(async (name: string, { account }: { account?: string }) => {
      const contact = await (await clientOf(context, account)).blockContact(name)
      await context.output.result(contact, () => [`${contact.name} is blocked.`])
    })
}
