/** What a node holds for the mesh: own place, newer only, within quota (invariants I8, I26, I31). */

import t, { type Test } from 'tap'
import { verifyMailboxRecord } from '../../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openStore, type Store } from '../../../src/base/store/store.ts'
import type { MailboxId, PeerId } from '../../../src/base/util/brand.ts'
import { equalBytes, toHex } from '../../../src/base/util/bytes.ts'
import type { PutAnswer } from '../../../src/base/wire/record-call.ts'
import {
  defaultDirectoryLimits,
  type DirectoryLimits,
} from '../../../src/machine/node/directory-limits.ts'
import { HeldRecords } from '../../../src/machine/node/held-records.ts'
import { seededIntegers } from '../../support/hostile.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { RecordSigner } from '../../support/record-signer.ts'
import { MemoryLog } from '../../support/transports.ts'

const platform = nodePlatform()
const dayMs = 86_400_000
const [alice, bob, carol] = ['alice', 'bob', 'carol'] as unknown as [PeerId, PeerId, PeerId]

interface Desk {
  readonly time: ManualTime
  readonly log: MemoryLog
  readonly store: Store
  /** Changes what the holder may depend on. */
  readonly world: { isNear: boolean; hosted: Uint8Array | undefined }
  open(): Promise<HeldRecords>
  signer(seed: number): RecordSigner
}

async function desk(t: Test, limits: Partial<DirectoryLimits> = {}): Promise<Desk> {
  const time = new ManualTime()
  const log = new MemoryLog()
  const parts = { platform, clock: time, scheduler: time, log }
  const store = await openStore({ dir: undefined, ...parts })
  t.teardown(async () => store.close())
  const world: Desk['world'] = { isNear: true, hosted: undefined }
  return {
    time,
    log,
    store,
    world,
    open: async () =>
      HeldRecords.open({
        platform,
        table: store.table('records'),
        hosted: { record: async () => world.hosted },
        isNear: async () => world.isNear,
        limits: { ...defaultDirectoryLimits, ...limits },
        clock: time,
        log,
      }),
    signer: (seed) => new RecordSigner(platform, { seed, nowMs: time.nowMs() }),
  }
}

/** Comparable, be it a Buffer or not. */
function shown(value: PutAnswer | Uint8Array | undefined): unknown {
  if (value === undefined || value instanceof Uint8Array) return value && toHex(value)
  return value.kind === 'held' ? value : { ...value, record: toHex(value.record) }
}

function seqOf(signed: Uint8Array | undefined): number | undefined {
  return signed && verifyMailboxRecord(platform, signed).record.seq
}

t.test('a newer record replaces an older one, and never the other way round', async (t) => {
  const { open, signer } = await desk(t)
  const held = await open()
  const account = signer(1)
  const draw = seededIntegers(7)
  let highest = 0
  for (let n = 0; n < 200; n++) {
    const seq = 1 + draw(40)
    const answer = await held.put(account.record({ seq }), [alice, bob, carol][draw(3)] as PeerId)
    if (seq >= highest) t.equal(answer.kind, 'held')
    else
      t.same(
        shown(answer),
        shown({ kind: 'stale', record: held.get(account.mailbox) as Uint8Array }),
      )
    highest = Math.max(highest, seq)
    if (seqOf(held.get(account.mailbox)) !== highest) t.fail(`${seq} after ${highest}`)
  }
  t.ok(highest > 30)
})

t.test('many at once leave the newest', async (t) => {
  const { open, signer } = await desk(t)
  const held = await open()
  const account = signer(1)
  const seqs = Array.from({ length: 40 }, (_, n) => ((n * 17) % 40) + 1)
  await Promise.all(seqs.map(async (seq) => held.put(account.record({ seq }), alice)))
  t.equal(seqOf(held.get(account.mailbox)), 40)
  t.equal(held.size, 1)
})

t.test('the same place twice: a fork is told, and the lower hash is held', async (t) => {
  const { open, signer } = await desk(t)
  const account = signer(1)
  const first = account.record({ seq: 5 })
  const second = account.record({ seq: 5, changes: { stampBits: 9 } })
  const hash = (signed: Uint8Array) => Buffer.from(platform.sha256(signed)).toString('hex')
  const lower = hash(first) < hash(second) ? first : second
  for (const [one, other] of [
    [first, second],
    [second, first],
  ] as const) {
    const fresh = await desk(t)
    const held = await fresh.open()
    await held.put(one, alice)
    t.same(
      shown(await held.put(other, bob)),
      shown({ kind: 'fork', record: one }),
      'the proof comes back',
    )
    t.equal(shown(held.get(account.mailbox)), shown(lower))
    t.equal(held.counts.forks, 1)
    t.same(fresh.log.events('warn'), ['record-fork'])
    t.match(await held.put(one, alice), one === lower ? { kind: 'held' } : { kind: 'fork' })
  }

  const held = await open()
  const mine = account.record({ seq: 8, device: 1 })
  const theirs = account.record({ seq: 8, device: 2 })
  await held.put(mine, alice)
  const answer = await held.put(theirs, bob)
  const isTheirsLower = hash(theirs) < hash(mine)
  t.same(shown(answer), shown(isTheirsLower ? { kind: 'held' } : { kind: 'stale', record: mine }))
  t.equal(shown(held.get(account.mailbox)), shown(isTheirsLower ? theirs : mine))
  t.equal(held.counts.forks, 0, 'two devices are no fork')
})

t.test('after a revocation a stolen key changes nothing', async (t) => {
  const { open, signer } = await desk(t)
  const held = await open()
  const account = signer(1)
  await held.put(account.record({ seq: 9, device: 7 }), alice)
  await held.put(account.record({ seq: 2 ** 50, device: 7 }), bob)
  t.equal(seqOf(held.get(account.mailbox)), 2 ** 50, 'until then it speaks for the account')
  const renewed = account.record({ seq: 10, docSeq: 2 })
  t.match(await held.put(renewed, alice), { kind: 'held' })
  for (const seq of [11, 2 ** 50 + 1, Number.MAX_SAFE_INTEGER]) {
    const undo = await held.put(account.record({ seq, device: 7 }), bob)
    t.same(shown(undo), shown({ kind: 'stale', record: renewed }))
  }
  t.equal(shown(held.get(account.mailbox)), shown(renewed))
  t.match(await held.put(account.record({ seq: 11, docSeq: 2 }), alice), { kind: 'held' })
})

t.test('what is no record of an account, or of another time, is refused', async (t) => {
  const { open, signer, time } = await desk(t)
  const held = await open()
  const account = signer(1)
  const whole = account.record()
  const malformed = { code: 'ABZU_MALFORMED' }
  let flips = 0
  for (let at = 0; at < whole.length; at += 37) {
    const flipped = Uint8Array.from(whole)
    flipped[at] = (flipped[at] as number) ^ 0x10
    await t.rejects(held.put(flipped, `peer ${at}` as PeerId), malformed)
    flips++
  }
  t.ok(flips > 40)
  await t.rejects(held.put(whole.slice(0, -1), alice), malformed)
  await t.rejects(held.put(new Uint8Array(5000), alice), malformed)
  const other = signer(2)
  const borrowed = other.record({ changes: { account: account.person.rootPk } })
  await t.rejects(held.put(borrowed, alice), malformed, 'signed by another account')
  t.equal(held.size, 0)

  const nowHours = Math.floor(time.nowMs() / 3_600_000)
  const ended = (days: number) =>
    account.record({
      changes: { notBeforeHours: nowHours - 100 * 24, notAfterHours: nowHours - days * 24 },
    })
  await t.rejects(held.put(ended(31), alice), malformed, 'a month after its end')
  t.match(await held.put(ended(29), alice), { kind: 'held' }, 'a locked account still has a record')
  const ahead = { notBeforeHours: nowHours + 9600, notAfterHours: nowHours + 2 * 9600 }
  await t.rejects(held.put(account.record({ seq: 4, changes: ahead }), alice), malformed)
})

t.test('only what is near, or hosted here', async (t) => {
  const { open, signer, world } = await desk(t)
  const held = await open()
  const account = signer(1)
  world.isNear = false
  await t.rejects(held.put(account.record(), alice), { code: 'ABZU_DENIED' })
  t.equal(held.size, 0)
  world.hosted = account.record({ seq: 3 })
  t.same(
    shown(await held.put(account.record({ seq: 2 }), alice)),
    shown({ kind: 'stale', record: world.hosted }),
  )
  t.match(
    await held.put(account.record({ seq: 4 }), alice),
    { kind: 'held' },
    'it is ahead elsewhere',
  )
  t.equal(seqOf(await held.newest(account.mailbox)), 4)
  world.hosted = account.record({ seq: 5 })
  t.equal(seqOf(await held.newest(account.mailbox)), 5)
})

t.test('each peer has its count and its pace', async (t) => {
  const rates = { peerPuts: { perSecond: 1, burst: 8 }, nodePuts: { perSecond: 10, burst: 20 } }
  const { open, signer, time } = await desk(t, { recordsPerPeerMax: 5, ...rates })
  const held = await open()
  for (let n = 0; n < 5; n++) await held.put(signer(n).record(), alice)
  await t.rejects(held.put(signer(5).record(), alice), { code: 'ABZU_QUOTA_EXCEEDED' })
  t.match(await held.put(signer(0).record({ seq: 2 }), alice), { kind: 'held' }, 'a newer one fits')
  t.match(await held.put(signer(5).record(), bob), { kind: 'held' })
  await held.put(signer(1).record(), alice)
  await t.rejects(held.put(signer(1).record({ seq: 2 }), alice), { code: 'ABZU_RATE_LIMITED' })
  await time.advance(1000)
  t.match(await held.put(signer(1).record({ seq: 2 }), alice), { kind: 'held' })

  const again = await open()
  await t.rejects(
    again.put(signer(9).record(), alice),
    { code: 'ABZU_QUOTA_EXCEEDED' },
    'restarted',
  )
  const together = Array.from({ length: 8 }, async (_, n) =>
    again.put(signer(20 + n).record(), carol),
  )
  const results = await Promise.allSettled(together)
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 5, 'many at once')
  t.equal(again.size, 11)
})

t.test('when it is full, what is over makes room, then whoever has the most', async (t) => {
  const { open, signer, time, store } = await desk(t, { recordsMax: 6 })
  const held = await open()
  const accounts = Array.from({ length: 5 }, (_, n) => signer(n))
  for (const account of accounts) await held.put(account.record(), alice)
  await held.put(signer(10).record(), bob)
  t.match(await held.put(signer(11).record(), carol), { kind: 'held' })
  t.equal(held.size, 6)
  t.equal(held.get((accounts[0] as RecordSigner).mailbox), undefined, 'her oldest')
  await t.rejects(held.put(signer(12).record(), alice), { code: 'ABZU_QUOTA_EXCEEDED' })
  await time.advance(440 * dayMs)
  t.match(await held.put(signer(13).record(), alice), { kind: 'held' })
  t.equal(await held.sweep(3), 3)
  t.equal(await held.sweep(100), 2)
  let rows = 0
  for await (const _ of store.table('records').range({ limit: 100 })) rows++
  t.equal(rows, 1)
  t.equal((await open()).size, 1)
})

t.test('what nobody has offered for half a day is neglected', async (t) => {
  const { open, signer, time } = await desk(t)
  const held = await open()
  const [one, other] = [signer(1), signer(2)]
  await held.put(one.record(), alice)
  await held.put(other.record(), alice)
  t.same(held.neglected(10), [])
  await time.advance(defaultDirectoryLimits.republishMs - 1000)
  await held.put(other.record(), bob)
  await time.advance(2000)
  t.ok(held.neglected(10).every((mailbox: MailboxId) => equalBytes(mailbox, one.mailbox)))
  t.equal(held.neglected(10).length, 1)
  held.refreshed(one.mailbox)
  t.same(held.neglected(10), [])
})
