/** The whole command line as a tree. @module */

import type { Command } from 'commander'
import { accountAudit } from './account-audit.ts'
import { accountCreate } from './account-create.ts'
import { accountHolders } from './account-holders.ts'
import { accountDelete } from './account-delete.ts'
import { accountKeep } from './account-keep.ts'
import { accountDevices } from './account-devices.ts'
import { accountExport } from './account-export.ts'
import { accountMove } from './account-move.ts'
import { accountImport } from './account-import.ts'
import { accountList } from './account-list.ts'
import { accountLock } from './account-lock.ts'
import { accountPassword } from './account-password.ts'
import { accountRecover } from './account-recover.ts'
import { accountRole } from './account-role.ts'
import { accountRevoke } from './account-revoke.ts'
import { accountRotate } from './account-rotate.ts'
import { accountShareShow } from './account-share-show.ts'
import { accountShareWords } from './account-share-words.ts'
import { accountShares } from './account-shares.ts'
import { accountUnlock } from './account-unlock.ts'
import { accountWords } from './account-words.ts'
import { newCommand, newGroup } from './command.ts'
import { contactAdd } from './contact-add.ts'
import { contactBlock } from './contact-block.ts'
import { contactLink } from './contact-link.ts'
import { contactLinks } from './contact-links.ts'
import { contactList } from './contact-list.ts'
import { contactShut } from './contact-shut.ts'
import { contactStrangers } from './contact-strangers.ts'
import { contactVerify } from './contact-verify.ts'
import type { CliContext } from './context.ts'
import { doctor } from './doctor.ts'
import { inbox } from './inbox.ts'
import { invite } from './invite.ts'
import { join } from './join.ts'
import { limits } from './limits.ts'
import { metrics } from './metrics.ts'
import { messageShow } from './message-show.ts'
import { oversight } from './oversight.ts'
import { peerAccept } from './peer-accept.ts'
import { peerInvite } from './peer-invite.ts'
import { peerList } from './peer-list.ts'
import { peerRemove } from './peer-remove.ts'
import { peerStatus } from './peer-status.ts'
import { send } from './send.ts'
import { start } from './start.ts'
import { status } from './status.ts'
import { stop } from './stop.ts'
import { version } from '../../version.ts'

export function createProgram(context: CliContext): Command {
  const program = newCommand('abzu', context)
    .description(
      "A household's own mesh node: sealed mailboxes for a family on a small box at home.",
    )
    .version(version)
  for (const command of [start, status, doctor, metrics, stop]) program.addCommand(command(context))
  program.addCommand(
    newGroup('account', context, {
      description: 'The people of this node',
      commands: [
        accountCreate,
        accountRecover,
        accountExport,
        accountImport,
        accountMove,
        accountList,
        accountUnlock,
        accountLock,
        accountPassword,
        accountWords,
        accountAudit,
        accountHolders,
        accountRole,
        accountDelete,
        accountKeep,
        accountRotate,
        accountDevices,
        accountRevoke,
        accountShareWords,
        accountShares,
        accountShareShow,
      ],
    }),
  )
  program.addCommand(
    newGroup('contact', context, {
      description: 'Whom an account knows',
      commands: [
        contactLink,
        contactLinks,
        contactShut,
        contactAdd,
        contactList,
        contactVerify,
        contactBlock,
        contactStrangers,
      ],
    }),
  )
  for (const command of [invite, join, limits, oversight]) program.addCommand(command(context))
  for (const command of [send, inbox]) program.addCommand(command(context))
  program.addCommand(
    newGroup('message', context, {
      description: 'What became of messages',
      commands: [messageShow],
    }),
  )
  program.addCommand(
    newGroup('peer', context, {
      description: 'Nodes that this one trusts, and that trust it',
      commands: [peerInvite, peerAccept, peerList, peerStatus, peerRemove],
    }),
  )
  return program
}
