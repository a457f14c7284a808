/** What a node is to a mailbox: its home, a copy of it, or nothing any more; and what its receipts say of that. */

import t, { type Test } from 'tap'
import { machineKeyOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openReceipt } from '../../../src/base/crypto/receipt.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { concatBytes, equalBytes } from '../../../src/base/util/bytes.ts'
import type { Host } from '../../../src/base/wire/records.ts'
import {
  decodeDeliverAnswer,
  encodeDeliverRequest,
  type DeliverRequest,
} from '../../../src/base/wire/deliver.ts'
import { PipeFrameStream } from '../../../src/machine/transport/pipe-frame-stream.ts'
import { defaultTransportLimits } from '../../../src/machine/transport/transport-limits.ts'
import { MailboxOwner } from '../../support/mailbox-owner.ts'
import { MailNetwork, MailNode } from '../../support/mail-node.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { MemoryPipe } from '../../support/pipe.ts'

const platform = nodePlatform()
const peer = '12D3KooWpeer' as PeerId
const hourMs = 3_600_000

async function setUp(t: Test) {
  const time = new ManualTime()
  const network = new MailNetwork()
  const node = await new MailNode(network, { platform, time }).start()
  t.teardown(async () => {
    await node.stop()
    await node.store.close()
  })
  /** An account of which this node has a copy, in this role; undefined where its record does not name it. */
  const account = async (role: Host['role'] | undefined) => {
    const owner = new MailboxOwner({ platform, nowMs: time.nowMs() })
    owner.hosts = hostsWith(node.peerId, role)
    const door = owner.door()
    const slots = [owner.identity(), owner.record(), door.slot]
    return { owner, door, mailbox: await node.mailboxes.host(owner.rootPk, slots) }
  }
  return { time, node, account }
}

function hostsWith(peerId: PeerId, role: Host['role'] | undefined): Host[] {
  const elsewhere: Host = { peerId: '12D3KooWelsewhere', role: role === 'home' ? 'former' : 'home' }
  return role ? [elsewhere, { peerId, role }] : [elsewhere]
}

t.test(
  'a receipt says what the node is to the mailbox, and none is given for nothing',
  async (t) => {
    const { node, account } = await setUp(t)
    const told = { home: 'home', replica: 'replica', former: 'replica' } as const
    for (const [role, as] of Object.entries(told)) {
      const { owner, door, mailbox } = await account(role as Host['role'])
      const letter = await owner.letter(door)
      t.match(await node.mailboxes.take([letter, letter], peer), [{ as }, { as }], role)
      await mailbox.putSlots([owner.acknowledge([letter.id])])
      t.match(await node.mailboxes.take([letter], peer), [{ as }], `${role}: acknowledged since`)
    }
    const { owner, door, mailbox } = await account(undefined)
    const refused = await node.mailboxes.take([await owner.letter(door)], peer)
    t.match(refused, [{ kind: 'refused', error: 'ABZU_NOT_HOSTED' }])
    t.equal((await mailbox.mail({ limit: 10 })).items.length, 0)
  },
)

t.test('a newer record changes the role, at once and after a restart', async (t) => {
  const { node, account } = await setUp(t)
  const { owner, door } = await account('replica')
  const take = async () => (await node.mailboxes.take([await owner.letter(door)], peer))[0]
  for (const role of ['home', 'former', undefined, 'replica'] as const) {
    owner.hosts = hostsWith(node.peerId, role)
    await node.mailboxes.putSlots(owner.mailbox, [owner.record()])
    const as = role === 'home' ? 'home' : 'replica'
    const expected = role ? { kind: 'durable', as } : { error: 'ABZU_NOT_HOSTED' }
    t.match(await take(), expected, `${role}`)
    await node.stop()
    await node.start()
    t.match(await take(), expected, `${role}, read again`)
  }
})

t.test('what a home refuses, a holder refuses as well, and with the same words', async (t) => {
  const { time, node, account } = await setUp(t)
  for (const role of ['home', 'replica'] as const) {
    const { owner, door, mailbox } = await account(role)
    const early = await owner.letter(door, { expiresInHours: 24 * 20 })
    const once = owner.door({ uses: 1 })
    await mailbox.putSlots([once.slot])
    const good = await owner.letter(door)
    const requests = [
      { ...good, proof: new Uint8Array(16) },
      { ...(await owner.stamped({ bits: 0 })), stamp: new Uint8Array(8).fill(255) },
      await owner.letter(once),
      await owner.letter(once),
    ]
    const taken = await node.mailboxes.take(requests, peer)
    const errors = taken.map((one) => (one.kind === 'refused' ? one.error : one.as))
    const stamped = errors.splice(1, 1)
    t.match(stamped, [/STAMP_INVALID|home|replica/], 'one in sixteen is a stamp')
    t.strictSame(errors, ['ABZU_DOOR_CLOSED', role, 'ABZU_DOOR_CLOSED'], role)
    const rotated = owner.record({ rotate: true, priorHours: 1 })
    await mailbox.putSlots([rotated])
    time.jump(2 * hourMs)
    t.match(await node.mailboxes.take([early], peer), [
      { error: 'ABZU_STALE_KEY', record: rotated.body.subarray(1) },
    ])
    time.jump(-2 * hourMs)
  }
})

t.test('letters for homes and for holders of one batch have receipts of their own', async (t) => {
  const { time, node, account } = await setUp(t)
  const accounts = [await account('home'), await account('replica'), await account('former')]
  const letters: DeliverRequest[] = []
  for (const { owner, door } of [...accounts, ...accounts]) {
    letters.push(await owner.letter(door, { requestId: letters.length }))
  }
  const [near, far] = MemoryPipe.pair()
  const parts = { limits: defaultTransportLimits, scheduler: time }
  node.serve(new PipeFrameStream({ peer, pipe: far, ...parts }))
  const stream = new PipeFrameStream({ peer: node.peerId, pipe: near, ...parts })
  for (const letter of letters) stream.send(encodeDeliverRequest(letter))
  await stream.end()
  const told = new Map<number, string>()
  for await (const payloads of stream.batches()) {
    for (const payload of payloads) {
      const answer = decodeDeliverAnswer(payload)
      if (answer.kind !== 'receipt') return t.fail('a refusal')
      const { as, ids } = openReceipt(platform, machineKeyOf(node.peerId), answer.statement)
      const envelopes = answer.requestIds.map((id) => letters[id]?.envelope ?? new Uint8Array())
      const expected = envelopes.map((envelope) => platform.sha256(envelope))
      t.ok(equalBytes(ids, concatBytes(...expected)), 'over the items of these requests')
      for (const id of answer.requestIds) told.set(id, as)
    }
  }
  const as = [...told].toSorted(([a], [b]) => a - b).map(([, one]) => one)
  t.strictSame(as, ['home', 'replica', 'replica', 'home', 'replica', 'replica'])
})
