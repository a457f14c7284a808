/** People who come back from their words, in memory. @module */

import { signRestoreClaim } from '../../src/base/crypto/restore-claim.ts'
import { openMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import { rootKeyOf } from '../../src/base/crypto/address.ts'
import { rootKeysOf } from '../../src/base/crypto/words.ts'
import { mapKey, utf8 } from '../../src/base/util/bytes.ts'
import type { MailboxRecord } from '../../src/base/wire/records.ts'
import { newDevice } from '../../src/user/account/device.ts'
import type { RestoreProgress } from '../../src/user/account/ports.ts'
import type { RecoverInit } from '../../src/user/household/newcomers.ts'
import type { Household, World } from './household.ts'
import type { MemoryMailbox, MemoryNode } from './memory-ports.ts'

export const newPassword = utf8('battery staple')

/** Another node that holds a copy of all that the household's mailbox has now. */
export async function heldElsewhere(
  world: World,
  { node, words }: Household,
  holder: MemoryNode = world.node(),
): Promise<MemoryNode> {
  const { platform } = world
  const { rootSeed } = rootKeysOf(platform, words)
  const device = newDevice(platform, { rootSeed, docSeq: 1 })
  await world.restoring(holder).restore(
    {
      rootPk: platform.ed25519.publicKey(rootSeed),
      certificate: device.certificate,
      sign: (challenge) => signRestoreClaim(platform, device.signSeed, challenge),
    },
    {
      hosts: [{ peerId: node.peerId, role: 'home' }],
      progress: () => undefined,
      signal: new AbortController().signal,
    },
  )
  return holder
}

/** The address of a node, as a person gives it. */
export function addressOf({ peerId }: MemoryNode): string {
  return `/ip4/192.0.2.1/tcp/4180/p2p/${peerId}`
}

/** What `recover` is called with, and what it told on the way. */
export function recovering(
  { words }: Pick<Household, 'words'>,
  init: Partial<RecoverInit> = {},
): RecoverInit & { readonly told: RestoreProgress[] } {
  const told: RestoreProgress[] = []
  return {
    words,
    name: 'alice',
    password: newPassword,
    progress: (done) => void told.push(done),
    signal: new AbortController().signal,
    ...init,
    told,
  }
}

/** The only mailbox of a node. */
export function mailboxOn(node: MemoryNode): MemoryMailbox {
  const [mailbox] = node.mailboxes.values()
  if (!mailbox) throw new Error('no mailbox')
  return mailbox
}

/** The record in the mailbox of an account on `node`. */
export function recordOn(
  world: World,
  node: MemoryNode,
  { id }: Pick<Household['member'], 'id'>,
): MailboxRecord {
  const root = rootKeyOf(id)
  const all = [...node.mailboxes.values()]
  const record = all.find(({ rootPk }) => mapKey(rootPk) === mapKey(root))?.record
  if (!record) throw new Error('no record')
  return openMailboxRecord(world.platform, record, root)
}
