import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { Restorer, type Claim } from '../../../src/machine/sync/restorer.ts'
import { MailboxOwner } from '../../support/mailbox-owner.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { SyncNetwork, SyncNode } from '../../support/sync-node.ts'

const platform = nodePlatform()

/** A holder with a mailbox of 60 letters, and a new node that knows nobody's. */
async function setUp(t: Test) {
  const time = new ManualTime()
  const network = new SyncNetwork()
  const [holder, fresh] = [
    await new SyncNode(network, { platform, time }).start(),
    await new SyncNode(network, { platform, time }).start(),
  ]
  t.teardown(async () => {
    for (const node of [holder, fresh]) await node.stop()
  })
  const owner = new MailboxOwner({ platform, nowMs: time.nowMs(), home: holder.as('home') })
  const port = await holder.mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
  const door = owner.door()
  await port.putSlots([door.slot])
  const letters = await Promise.all(Array.from({ length: 60 }, async () => owner.letter(door)))
  await holder.mailboxes.take(letters, 'sender' as PeerId)
  network.connect(holder, fresh)
  const restorer = new Restorer({
    platform,
    transport: { peerId: fresh.peerId, open: async (peer) => fresh.open(peer) },
    mailboxes: fresh.mailboxes,
    items: fresh.store.items,
    scheduler: time,
    log: silentLog,
  })
  const steps: { items: number; itemsTotal: number }[] = []
  const restore = async (claim: Claim, hosts = [holder.as('replica')]) =>
    restorer.restore(claim, {
      hosts,
      progress: (done) => void steps.push(done),
      signal: new AbortController().signal,
    })
  return { network, holder, fresh, owner, steps, restore }
}

t.test('a device of the account gets all of it', async (t) => {
  const { holder, fresh, owner, steps, restore } = await setUp(t)
  const port = await restore(owner.newDevice())
  t.equal(toHex(port.mailbox), toHex(owner.mailbox))
  const [mine, theirs] = [fresh, holder].map(({ store }) => store.items.digest(owner.mailbox))
  t.equal(mine?.count, 63)
  t.equal(toHex(mine?.sum ?? platform.random(1)), toHex(theirs?.sum ?? platform.random(2)))
  t.match(steps[0], { items: 0, itemsTotal: 63 })
  t.ok((steps.at(-1)?.items ?? 0) >= 63)
  const before = steps.length
  await restore(owner.newDevice())
  t.ok(
    steps.slice(before).every(({ items }) => items === 0),
    'nothing is sent again',
  )
})

t.test('nobody else does', async (t) => {
  const { fresh, owner, restore } = await setUp(t)
  const device = owner.newDevice()
  const other = new MailboxOwner({ platform, nowMs: Date.UTC(2026, 0, 1, 12) })
  const claims = {
    'a device of another account': { ...other.newDevice(), rootPk: owner.rootPk },
    'another account': other.newDevice(),
    'a signature of another device': { ...device, sign: owner.newDevice().sign },
    'a signature of something else': { ...device, sign: () => device.sign(new Uint8Array(9)) },
    'no signature': { ...device, sign: () => new Uint8Array(64) },
  }
  for (const [name, claim] of Object.entries(claims)) {
    await t.rejects(restore(claim), { name: 'AbzuError' }, name)
    t.equal(fresh.mailboxes.rootOf(owner.mailbox), undefined, name)
  }
})

t.test('a revoked device gets nothing', async (t) => {
  const { holder, owner, restore } = await setUp(t)
  const device = owner.newDevice()
  await holder.mailboxes
    .mailbox(owner.mailbox)
    .putSlots([owner.identity({ seq: 2, revoked: [device.certificate] })])
  await t.rejects(restore(device), { code: 'ABZU_DENIED' })
})

t.test('hosts are tried in order, and the reason of the last one counts', async (t) => {
  const { network, holder, fresh, owner, restore } = await setUp(t)
  const nobody = { peerId: owner.rootPk.join(''), role: 'replica', addresses: [] } as const
  await t.rejects(restore(owner.newDevice(), [nobody]), { code: 'ABZU_UNREACHABLE' })
  await t.rejects(restore(owner.newDevice(), [fresh.as('home')]), { code: 'ABZU_NOT_FOUND' })
  t.ok(await restore(owner.newDevice(), [nobody, fresh.as('home'), holder.as('replica')]))
  network.disconnect(holder, fresh)
  await t.rejects(restore(owner.newDevice()), { code: 'ABZU_UNREACHABLE' })
})

t.test('where this node is the last that has a copy, the copy is enough', async (t) => {
  const { network, holder, fresh, owner, restore } = await setUp(t)
  await restore(owner.newDevice())
  network.disconnect(holder, fresh)
  const hosts = [holder.as('home'), fresh.as('replica')]
  const port = await restore(owner.newDevice(), hosts)
  t.equal(toHex(port.mailbox), toHex(owner.mailbox))
  await t.rejects(
    restore(owner.newDevice(), [holder.as('home')]),
    { code: 'ABZU_UNREACHABLE' },
    'a node that is no host may have half of it',
  )
})

t.test('cut off at any moment, another attempt brings the rest', async (t) => {
  const { network, holder, fresh, owner, restore } = await setUp(t)
  for (let turns = 0; turns < 60; turns += 3) {
    const attempt = restore(owner.newDevice()).then(
      () => true,
      () => false,
    )
    for (let n = 0; n < turns; n++) await new Promise((resolve) => setImmediate(resolve))
    network.disconnect(holder, fresh)
    await attempt
    network.connect(holder, fresh)
  }
  await restore(owner.newDevice())
  t.equal(fresh.store.items.digest(owner.mailbox).count, 63)
})
