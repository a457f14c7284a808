/** A home and the nodes that hold what lives there, and an account that says who they are. @module */

import type { Test } from 'tap'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import type { Host } from '../../src/base/wire/records.ts'
import { parsePlainSlot } from '../../src/base/wire/plain-slot.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { Retirement } from '../../src/machine/sync/retirement.ts'
import { MailboxOwner } from './mailbox-owner.ts'
import { ManualTime } from './manual-time.ts'
import { SyncNetwork, SyncNode } from './sync-node.ts'

export const platform = nodePlatform()
const stranger = '12D3KooWsender' as PeerId

/** A friend's node that has a copy of an account's mailbox, and what decides how long it stays. */
export async function heldCopy(t: Test) {
  const time = new ManualTime()
  const network = new SyncNetwork()
  const home = await new SyncNode(network, { platform, time }).start()
  const friend = await new SyncNode(network, { platform, time }).start()
  friend.trust.set(home.peerId, 1e9)
  home.trust.set(friend.peerId, 1e9)
  t.teardown(async () => {
    for (const node of [home, friend]) await node.stop()
  })
  const owner = new MailboxOwner({
    platform,
    nowMs: time.nowMs(),
    home: home.as('home'),
    holders: [friend.as('replica')],
  })
  const { mailbox } = owner
  const port = await home.mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
  const door = owner.door()
  await port.putSlots([door.slot])
  const rest = async (): Promise<void> => {
    for (let n = 0; n < 6; n++) await time.advance(250)
  }
  network.connect(home, friend)
  await rest()
  /** What others say is the newest record, and whether anybody is there. */
  const others = { record: undefined as Uint8Array | undefined, isThere: true }
  const doubt = { isOn: false }
  const living = new Set<string>()
  const dropped: string[] = []
  const asked = { count: 0 }
  const retirement = new Retirement({
    platform,
    mailboxes: friend.mailboxes,
    items: friend.store.items,
    table: friend.store.table('copies'),
    epoch: () => friend.store.epoch,
    self: friend.peerId,
    isAtHome: () => living.has('here'),
    newest: async (id) => friend.mailboxes.record(id),
    confirm: async () => {
      asked.count++
      const known = await friend.mailboxes.record(mailbox)
      if (!others.isThere || !known) throw new AbzuError('ABZU_UNREACHABLE', 'nobody there')
      return others.record ?? known
    },
    coveredBy: async (id) => friend.syncer.coveredBy(id),
    dropped: () => void dropped.push('gone'),
    clock: {
      nowMs: () => time.nowMs(),
      monotonicMs: () => time.monotonicMs(),
      doubt: () => (doubt.isOn ? { earliestMs: 0, latestMs: time.nowMs() } : undefined),
    },
    scheduler: time,
    log: silentLog,
  })
  return {
    time,
    network,
    home,
    friend,
    owner,
    mailbox,
    door,
    rest,
    others,
    doubt,
    living,
    dropped,
    asked,
    /** Ids of a letter that a node took in for the account. */
    deliver: async (node: SyncNode, hours = 700) => {
      const letter = await owner.letter(door, { expiresInHours: hours })
      const [taken] = await node.mailboxes.take([letter], stranger)
      return { id: letter.id, kind: taken?.kind }
    },
    /** The account signs a record with these hosts at its home. */
    sign: async (hosts: readonly Host[]) => {
      owner.hosts = hosts
      const slot = owner.record()
      await port.putSlots([slot])
      await rest()
      return parsePlainSlot(slot.body).content
    },
    /** A look at the copies, `days` later. */
    look: async (days = 0) => {
      time.jump(days * 86_400_000)
      await friend.mailboxes.sweep(1000)
      return retirement.round()
    },
    isHere: () => friend.mailboxes.rootOf(mailbox) !== undefined,
    items: (node: SyncNode) => node.store.items.digest(mailbox).count,
    retirement,
  }
}
