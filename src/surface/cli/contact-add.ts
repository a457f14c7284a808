import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu contact add`: whom a link or an address names, or who asked. */
export function contactAdd(context: CliContext): Command {
  return withAccountOption(newCommand('add', context))
    .description('Add a contact from a link or by their address; accept a request by its address')
    .argument('<link>', 'abzu:abzu1...#..., or an address abzu1...')
    .requiredOption('--as <name>', 'what to call the contact')
    .action(async (link: string, options: { account?: string; as: string }) => {
      const client = await clientOf(context, options.account)
      const contact = await client.addContact({ link, as: options.as })
      const isFree = contact.approval === undefined || contact.approval === 'approved'
      await context.output.result(contact, () => [
        ...(isFree ? [] : [waits]),
        `${contact.name} is a contact. Compare the digits of \`abzu contact verify ${contact.name}\``,
        'when you meet: then nobody can have come in between.',
      ])
    })
}

const waits =
  'An Admin or Adult of your household has to approve this contact first: they see that you asked.'
