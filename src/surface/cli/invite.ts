import type { Command } from 'commander'
import { invitedRoles, type InvitedRole } from '../../base/wire/join.ts'
import { invitationHoursMax } from '../../user/household/household-invitations.ts'
import type { Answer } from '../client/routes.ts'
import {
  newCommand,
  newGroup,
  wholeNumber,
  withActorOption,
  type CommandFactory,
} from './command.ts'
import type { CliContext } from './context.ts'
import { qrCode } from './qr-code.ts'
import { callerOf } from './session.ts'

interface Actor {
  readonly account?: string
}

/** `abzu invite`: links by which people join the household. */
export function invite(context: CliContext): Command {
  return newGroup('invite', context, {
    description: 'Invite people to this household',
    commands: [...invitedRoles.map(inviteOf), inviteList, inviteRevoke],
  })
}

function inviteOf(role: InvitedRole): CommandFactory {
  return (context) =>
    withActorOption(newCommand(role, context))
      .description(`Make a link by which one ${role} can join, once`)
      .option(
        '--hours <number>',
        'how long it works; 72 where left out',
        wholeNumber({ min: 1, max: invitationHoursMax }),
      )
      .action(async ({ hours, account }: Actor & { readonly hours?: number }) => {
        const client = await callerOf(context, account)
        const given = await client.invite({ role, ...(hours !== undefined && { hours }) })
        const picture = context.output.json ? [] : await qrCode(given.link)
        await context.output.result(given, () => [
          given.link,
          ...picture,
          '',
          `Give it to one person and to nobody else; it works once, until ${given.expiresAt}.`,
          'There: abzu join <link> --name <name>',
        ])
      })
}

function inviteList(context: CliContext): Command {
  return withActorOption(newCommand('list', context))
    .description('List the invitations that work')
    .action(async ({ account }: Actor) => {
      const invitations = await (await callerOf(context, account)).invitations()
      await context.output.result({ invitations }, () =>
        invitations.length === 0 ? ['nobody is invited'] : invitations.map(describe),
      )
    })
}

function inviteRevoke(context: CliContext): Command {
  return withActorOption(newCommand('revoke', context))
    .description('End one invitation and no other')
    .argument('<invitation>', 'the link, or its id in `abzu invite list`')
    .action(async (invitation: string, { account }: Actor) => {
      const revoked = await (await callerOf(context, account)).revokeInvitation(invitation)
      await context.output.result(revoked, () => [`The invitation ${revoked.id} works no more.`])
    })
}

function describe({ id, role, expiresAt, by }: Answer<'revokeInvitation'>): string {
  return `${id}  ${role}, until ${expiresAt}${by === undefined ? '' : `, by ${by}`}`
}
