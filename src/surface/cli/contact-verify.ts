import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu contact verify`: shows the safety number, and takes the one that the other person shows. */
export function contactVerify(context: CliContext): Command {
  return withAccountOption(newCommand('verify', context))
    .description('Show the digits to compare with a contact, or confirm the ones that they show')
    .argument('<contact>', 'name or address')
    .argument('[digits...]', 'what the other person reads out')
    .action(async (name: string, digits: string[], { account }: { account?: string }) => {
      const client = await clientOf(context, account)
      if (digits.length > 0) {
        const contact = await client.confirmContact(name, digits.join(' '))
        await context.output.result(contact, () => [`${contact.name} is verified.`])
        return
      }
      const shown = await client.safetyNumber(name)
      await context.output.result(shown, () => [
        shown.safetyNumber,
        '',
        shown.verified
          ? `${shown.name} is verified.`
          : `${shown.name} must see the same digits. Then: abzu contact verify ${shown.name} <their digits>`,
      ])
    })
}
