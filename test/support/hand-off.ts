/** A sender's node, a recipient's home and the nodes that hold the mailbox as well, over in-memory streams. @module */

import type { Test } from 'tap'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { toHex } from '../../src/base/util/bytes.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import type { Host } from '../../src/base/wire/records.ts'
import type { OutboxOutcome } from '../../src/machine/mailbox/outbox-row.ts'
import type { Outgoing } from '../../src/machine/mailbox/outbox.ts'
import { MailboxOwner } from './mailbox-owner.ts'
import { MailNetwork, MailNode, type MailNodeInit } from './mail-node.ts'
import { ManualTime } from './manual-time.ts'

export const platform = nodePlatform()
export const sender = new Uint8Array(32).fill(7) as MailboxId

export interface HandOffInit {
  /** Of the holders, in the order of the record; two replicas where nothing is said. */
  readonly roles?: readonly ('replica' | 'former')[]
  readonly origin?: Partial<MailNodeInit>
  readonly home?: Partial<MailNodeInit>
  readonly holder?: Partial<MailNodeInit>
}

export async function handOff(t: Pick<Test, 'teardown'>, init: HandOffInit = {}) {
  const { roles = ['replica', 'replica'] } = init
  const time = new ManualTime()
  const network = new MailNetwork()
  const start = async (own: Partial<MailNodeInit> = {}) =>
    new MailNode(network, { platform, time, ...own }).start()
  const origin = await start(init.origin)
  const home = await start(init.home)
  const holders = await Promise.all(roles.map(async () => start(init.holder)))
  const nodes = [origin, home, ...holders]
  t.teardown(async () => {
    await Promise.all(nodes.map(async (node) => node.stop()))
    await Promise.all(nodes.map(async ({ store }) => store.close()))
  })
  const copies: Host[] = holders.map(({ peerId }, n) => ({ peerId, role: roles[n] ?? 'replica' }))
  const owner = new MailboxOwner({
    platform,
    nowMs: time.nowMs(),
    home: home.home,
    holders: copies,
  })
  const door = owner.door()
  const slots = [owner.identity(), owner.record(), door.slot]
  for (const node of [home, ...holders]) await node.mailboxes.host(owner.rootPk, slots)
  const letter = async (expiresInHours = 24): Promise<Outgoing & { id: Uint8Array }> => {
    const { mailbox: to, ...rest } = await owner.letter(door, { expiresInHours })
    const sealedBy = { docSeq: 1, seq: owner.recordSeq }
    return { from: sender, to: to as MailboxId, hosts: owner.hosts, sealedBy, ...rest }
  }
  return {
    time,
    origin,
    home,
    holders,
    owner,
    door,
    letter,
    /** Switches a node off: nobody reaches it, and its streams are gone. */
    off: (...gone: readonly MailNode[]) => {
      for (const { peerId, streams } of gone) {
        network.remove(peerId)
        for (const stream of streams) stream.abort(new AbzuError('ABZU_CLOSED', 'switched off'))
      }
    },
    on: (...back: readonly MailNode[]) => {
      for (const node of back) network.add(node)
    },
    /** Posts a letter and returns the id of its item. */
    post: async (expiresInHours?: number) =>
      toHex(await origin.outbox.post(await letter(expiresInHours))),
    /** What the sender was told: `id state`, oldest first. */
    told: async () => (await origin.outbox.outcomes(sender)).map(nameOf),
    outcomes: async () => origin.outbox.outcomes(sender),
    /** Ids of the mail on a node, in the order of arrival. */
    mail: async (node: MailNode) => {
      const { items } = await node.mailboxes.mailbox(owner.mailbox).mail({ limit: 1000 })
      return items.map(({ id }) => toHex(id))
    },
  }
}

function nameOf({ id, state }: OutboxOutcome): string {
  return `${toHex(id)} ${state}`
}
