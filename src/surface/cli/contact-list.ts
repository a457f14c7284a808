import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu contact list`: whom the account knows, and who asks to be known. */
export function contactList(context: CliContext): Command {
  return withAccountOption(newCommand('list', context))
    .description('List contacts and requests')
    .action(async ({ account }: { account?: string }) => {
      const contacts = await (await clientOf(context, account)).contacts()
      await context.output.result({ contacts }, () =>
        contacts.length === 0
          ? ['no contact yet: abzu contact add <link> --as <name>']
          : contacts.map(describe),
      )
    })
}

function describe(contact: Answer<'addContact'>): string {
  const marks = [
    contact.request ? 'asks to be added' : contact.verified ? 'verified' : 'not verified',
    ...(contact.blocked ? ['blocked'] : []),
    ...(contact.supervised ? ['a child: its Admins can read along'] : []),
    ...(contact.approval === undefined ? [] : [approvals[contact.approval]]),
  ]
  const notice =
    contact.keysChangedAt === undefined
      ? ''
      : `  ${contact.name}'s keys changed ${contact.keysChangedAt}`
  return `${contact.name}  ${marks.join(', ')}  ${contact.id}${notice}`
}

const approvals = {
  approved: 'approved',
  pending: 'waits to be approved',
  denied: 'not allowed',
  unasked: 'not approved: add it to ask',
} as const
