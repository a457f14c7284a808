/** Real nodes on loopback: records are found by the mailbox id alone, whatever some nodes do. */

import t from 'tap'
import { verifyMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import { systemClock } from '../../src/base/util/system-time.ts'
import {
  decodePutAnswer,
  decodeRecordRequest,
  encodePutAnswer,
  encodeRecordRequest,
} from '../../src/base/wire/record-call.ts'
import { defaultDirectoryLimits } from '../../src/machine/node/directory-limits.ts'
import { inParallel } from '../../src/machine/node/in-parallel.ts'
import { recordServer } from '../../src/machine/node/record-server.ts'
import { holders, known, least, mesh, MeshNode } from '../support/mesh-node.ts'
import { RecordSigner } from '../support/record-signer.ts'
import { until } from '../support/transports.ts'

const platform = nodePlatform()
const nowMs = Date.now()

function signer(seed: number): RecordSigner {
  return new RecordSigner(platform, { seed, nowMs })
}

function seqOf(signed: Uint8Array): number {
  return verifyMailboxRecord(platform, signed).record.seq
}

t.test('two nodes: published, and resolved without a host', async (t) => {
  const [home, other] = await mesh(t, 2)
  const owner = await home.host()
  await until(() => holders([other], owner.mailbox) === 1, 'the other node holds the record')
  const signed = await other.directory.resolve(owner.mailbox, [])
  const { record, mailbox } = verifyMailboxRecord(platform, signed)
  t.same(mailbox, owner.mailbox)
  t.same(record.hosts, [home.directory.home()])
  const nobody = platform.random(32) as MailboxId
  await t.rejects(other.directory.resolve(nobody, []), { code: 'ABZU_NOT_FOUND' })

  const next = owner.record({ rotate: true })
  await home.mailboxes.putSlots(owner.mailbox, [next])
  const newer = () => seqOf(other.held.get(owner.mailbox) as Uint8Array) === 2
  await until(newer, 'a change reaches the holder at once')
})

t.test('an account that has left: its last record is kept, offered and believed', async (t) => {
  const [home, other] = await mesh(t, 2)
  const owner = await home.host()
  const holder = { peerId: other.peerId, role: 'replica' as const, addresses: [] }
  owner.hosts = [...owner.hosts, holder]
  await other.mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
  owner.hosts = []
  await home.directory.bequeath(owner.signedRecord())
  await home.mailboxes.drop(owner.mailbox)
  await until(() => holders([other], owner.mailbox) === 1, 'the holder is told')
  await other.store.table('records').delete(owner.mailbox)
  for (const node of [home, other]) {
    await node.stop()
    await node.start()
  }
  await other.meet(home)
  const { record } = verifyMailboxRecord(platform, await other.directory.confirm(owner.mailbox))
  t.match(record, { seq: 3, hosts: [] }, 'and whoever asks its last home')
})

t.test('alone, nobody can be asked', async (t) => {
  const node = await MeshNode.start(t)
  const owner = await node.host()
  t.equal(seqOf(await node.directory.resolve(owner.mailbox, [])), 1, 'what is hosted here is known')
  const nobody = platform.random(32) as MailboxId
  await t.rejects(node.directory.resolve(nobody, []), { code: 'ABZU_UNREACHABLE' })
  t.match(await node.directory.publish(owner.mailbox), { held: 0, refused: 0 })
})

t.test('a node that comes later gets what was published to nobody', async (t) => {
  const home = await MeshNode.start(t)
  const owner = await home.host()
  await until(() => home.log.events('debug').includes('record-published'), 'published to nobody')
  const other = await MeshNode.start(t)
  await other.meet(home)
  await until(() => holders([other], owner.mailbox) === 1, 'held by the new node')
})

t.test('after all have stopped and started again, they find each other', async (t) => {
  const nodes = await mesh(t, 3)
  const [home, other] = nodes
  const owner = await home.host()
  await until(() => holders(nodes, owner.mailbox) === 2, 'held by the others')
  // what is remembered is written a moment after it is known
  await least(nodes, async (node) => node.remembered(), 2)
  await Promise.all(nodes.map(async (node) => node.stop()))
  for (const node of nodes) await node.start()
  await known(nodes, 2)
  t.equal(seqOf(await other.directory.resolve(owner.mailbox, [])), 1)
  t.equal(holders(nodes, owner.mailbox), 2, 'what they held they hold')
})

t.test('among nodes that refuse, lie, and hold what is old', async (t) => {
  const account = signer(1)
  const flipped = account.record({ seq: 7 })
  flipped[40] = (flipped[40] as number) ^ 1
  const refusing = await MeshNode.start(t, {
    answer: async () => {
      throw new AbzuError('ABZU_DENIED', 'never')
    },
  })
  const lies = [signer(2).record({ seq: 99 }), flipped, account.record({ seq: 2 })]
  let told = 0
  const lying = await MeshNode.start(t, {
    answer: async (request) =>
      decodeRecordRequest(request).kind === 'put'
        ? encodePutAnswer({ kind: 'stale', record: lies[told++ % lies.length] as Uint8Array })
        : (lies[told++ % lies.length] as Uint8Array),
  })
  const honest = await mesh(t, 3)
  const [first, second] = honest
  await refusing.meet(first)
  await lying.meet(first)
  const all = [...honest, refusing, lying]
  await known(all, all.length - 1)

  for (const [n, seq] of [3, 5].entries()) {
    const request = encodeRecordRequest({ kind: 'put', record: account.record({ seq }) })
    const to = honest[n] as MeshNode
    t.match(decodePutAnswer(await second.ask(n === 1 ? first : to, request)), { kind: 'held' })
  }
  t.equal(holders(honest, account.mailbox), 1)
  for (const node of honest) {
    for (let times = 0; times < 3; times++) {
      const signed = await node.directory.resolve(account.mailbox, [], { seq: 5 })
      t.equal(seqOf(signed), 5, 'never older than what is known, nor of somebody else')
    }
  }
  const other = honest[2] as MeshNode
  await other.held.put(account.record({ seq: 5 }), first.peerId)
  const publication = await other.directory.publish(account.mailbox)
  t.match(publication, { held: 2 }, 'the others take it all the same')
  t.ok(publication.refused + publication.stale >= 1)
  t.equal(
    seqOf(other.held.get(account.mailbox) as Uint8Array),
    5,
    'a lie about staleness is no news',
  )
})

t.test('a flood of junk is refused, and what is valid in it is counted', async (t) => {
  const [target, flooder] = await mesh(t, 2)
  const whole = signer(10).record()
  const junk = (n: number): Uint8Array => {
    const copy = Uint8Array.from(whole)
    if (n % 2 === 0) return platform.random(65 + (n % 2000))
    copy[n % copy.length] = (copy[n % copy.length] as number) ^ (1 + (n % 255))
    return copy
  }
  // As if the transport had let all of it through: it shuts out who sends the like, see shut-out.test.ts.
  const answer = recordServer({
    held: target.held,
    limits: defaultDirectoryLimits,
    clock: systemClock,
  })
  const outcomes = new Map<string, number>()
  const valid = Array.from({ length: 20 }, (_, n) => signer(100 + n).record())
  const offers = [...valid, ...Array.from({ length: 1000 }, (_, n) => junk(n))]
  await inParallel(offers, 16, async (record) => {
    let outcome: string
    try {
      const request = encodeRecordRequest({ kind: 'put', record })
      outcome = decodePutAnswer(await answer(request, { peer: flooder.peerId })).kind
    } catch (error) {
      outcome = (error as AbzuError).code
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  })
  t.equal(outcomes.get('held'), valid.length)
  t.equal((outcomes.get('ABZU_MALFORMED') ?? 0) + (outcomes.get('ABZU_RATE_LIMITED') ?? 0), 1000)
  t.ok((outcomes.get('ABZU_RATE_LIMITED') ?? 0) > 500, 'most are not even looked at')
  t.equal(target.held.size, valid.length)
  t.match(target.held.counts, { held: valid.length, refused: 1000 })
  const owner = await flooder.host()
  t.equal(
    seqOf(await target.directory.resolve(owner.mailbox, [])),
    1,
    'the others are still served',
  )
})
