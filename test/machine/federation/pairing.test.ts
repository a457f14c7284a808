import t from 'tap'
import { parsePeerCode } from '../../../src/base/crypto/peer-code.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { hourMs } from '../../../src/base/util/clock.ts'
import { isAbzuError } from '../../../src/base/util/errors.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import {
  decodePairAnswer,
  encodePairRequest,
  type PairRequest,
} from '../../../src/base/wire/pair.ts'
import { PairNetwork, PairNode } from '../../support/pair-node.ts'
import { watchWrites } from '../../support/watched-media.ts'

const denied = { code: 'ABZU_DENIED' }
const dayHours = 24

/** A host and guests on one network. */
async function nodes(...names: string[]) {
  const network = new PairNetwork()
  const all = []
  for (const name of names) all.push(await PairNode.start(network, { name }))
  const [host, guest, other] = all as [PairNode, PairNode, PairNode]
  return { network, host, guest, other }
}

function request(code: string, rest: Partial<PairRequest> = {}): Uint8Array {
  const { token } = parsePeerCode(code)
  return encodePairRequest({ token, name: 'guest', quotaBytes: 7, addresses: [], ...rest })
}

t.test(
  'both sides have the name, the quotas and the addresses, and have them after a restart',
  async (t) => {
    const { network, host, guest } = await nodes("Ann's box", 'bob')
    const code = await host.code({ name: 'Bob at work', quotaBytes: 5e9 })
    const added = await guest.pairing.accept(code, { quotaBytes: 5e8 })
    const sinceMs = network.time.nowMs()
    const ofHost = {
      peerId: host.peerId,
      name: "Ann's box",
      quotaBytes: 5e8,
      grantedBytes: 5e9,
      addresses: [host.address],
      sinceMs,
    }
    t.strictSame(added, ofHost)
    for (const node of [host, guest]) await node.restart()
    t.strictSame(guest.trusted.list(), [ofHost])
    t.strictSame(host.trusted.list(), [
      {
        peerId: guest.peerId,
        name: 'Bob at work',
        quotaBytes: 5e9,
        grantedBytes: 5e8,
        addresses: [guest.address],
        sinceMs,
      },
    ])
    t.strictSame([...host.kept], [[guest.peerId, [`${guest.address}/p2p/${guest.peerId}`]]])
    t.strictSame([...guest.kept], [[host.peerId, [`${host.address}/p2p/${host.peerId}`]]])
  },
)

t.test(
  'without a word of the owner: 10 GB, a day, and the names that nodes give themselves',
  async (t) => {
    const { network, host, guest, other } = await nodes('box', 'box', 'BOX')
    const { code, untilMs } = await host.pairing.invite()
    t.equal(untilMs, network.time.nowMs() + dayHours * hourMs)
    t.match(await guest.pairing.accept(code), { name: 'box', quotaBytes: 1e10, grantedBytes: 1e10 })
    await other.pairing.accept(await host.code())
    const names = host.trusted.list().map(({ name }) => name)
    t.strictSame(names, ['BOX 2', 'box'], 'a name that looks like another gets a number')
    await t.rejects(host.pairing.invite({ name: 'Box' }), { code: 'ABZU_ALREADY_EXISTS' })
    const clash = guest.pairing.accept(await other.code(), { name: 'BOX' })
    await t.rejects(clash, { code: 'ABZU_ALREADY_EXISTS' }, 'what was said is done or refused')
    t.equal(other.trusted.list().length, 1, 'and refused before anybody is asked')
  },
)

t.test('two peers with one code at once: exactly one is trusted', async (t) => {
  for (let round = 0; round < 20; round++) {
    const { host, guest, other } = await nodes('host', 'a', 'b')
    const code = await host.code()
    const outcomes = await Promise.allSettled(
      [guest, other].map(async ({ pairing }) => pairing.accept(code)),
    )
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    t.equal(refused.length, 1)
    t.match(refused[0], { reason: denied })
    t.equal(host.trusted.list().length, 1)
    t.equal(guest.trusted.list().length + other.trusted.list().length, 1)
  }
})

t.test('the host dies when it has stored and not answered: the same again succeeds', async (t) => {
  const { host, guest, other } = await nodes('host', 'a', 'b')
  const code = await host.code({ name: 'guest', quotaBytes: 3 })
  host.diesBeforeAnswer = true
  await t.rejects(guest.pairing.accept(code))
  t.strictSame(guest.trusted.list(), [], 'no trust without an answer')
  await host.restart()
  t.equal(host.trusted.named('guest').peerId, guest.peerId)
  await t.rejects(other.pairing.accept(code), denied, 'the code is used')
  t.match(await guest.pairing.accept(code, { quotaBytes: 4 }), { grantedBytes: 3 })
  t.match(host.trusted.list(), [{ name: 'guest', quotaBytes: 3, grantedBytes: 4 }])
  await host.trusted.remove(guest.peerId)
  await t.rejects(guest.pairing.accept(code), denied, 'who was removed does not come back by it')
  t.strictSame(host.trusted.list(), [])
})

t.test('an answer is given when trust and the used code are durable, in one commit', async (t) => {
  const network = new PairNetwork()
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  let writes = 0
  const host = await PairNode.start(network, {
    decorate: (media) =>
      watchWrites(media, async () => {
        if (!isHeld) return
        writes++
        await gate.promise
      }),
  })
  const guest = await PairNode.start(network)
  const code = await host.code()
  isHeld = true
  let isAnswered = false
  const answering = host.answer(request(code), { peer: guest.peerId }).then((answer) => {
    isAnswered = true
    return answer
  })
  await network.time.settle()
  t.strictSame(
    { isAnswered, writes, trusted: host.trusted.list() },
    {
      isAnswered: false,
      writes: 1,
      trusted: [],
    },
  )
  gate.resolve()
  t.match(decodePairAnswer(await answering), { name: 'box', quotaBytes: 1e10 })
  t.equal(writes, 1, 'nothing can come between')
  t.equal(host.trusted.list().length, 1)
})

t.test('a code that ended, was never given, or is of another node', async (t) => {
  const { network, host, guest, other } = await nodes('host', 'a', 'b')
  const code = await host.code({ hours: 1 })
  const { token } = parsePeerCode(code)
  const peer = guest.peerId
  const near = token.slice()
  near[0] = (near[0] ?? 0) ^ 0x80
  await t.rejects(host.answer(request(code, { token: near }), { peer }), denied)
  await t.rejects(other.answer(request(code), { peer }), denied, "another node's")
  await t.rejects(host.pairing.accept(code), { code: 'ABZU_INVALID_ARGUMENT' }, 'its own')
  await network.time.advance(hourMs)
  await t.rejects(host.answer(request(code), { peer }), denied, 'the host looks at its own clock')
  await t.rejects(guest.pairing.accept(code), denied, 'and the guest at its')
  const unknown = await other.code()
  network.nodes.delete(other.peerId)
  await t.rejects(guest.pairing.accept(unknown), { code: 'ABZU_UNREACHABLE' })
  t.strictSame([...host.trusted.list(), ...guest.trusted.list()], [])
})

t.test('one error, whatever is wrong with a code', async (t) => {
  const { network, host, guest, other } = await nodes('host', 'a', 'b')
  const [used, over] = [await host.code(), await host.code({ hours: 1 })]
  await other.pairing.accept(used)
  await network.time.advance(hourMs)
  const unknown = request(used, { token: new Uint8Array(16) })
  const errors = []
  for (const payload of [request(used), request(over), unknown]) {
    try {
      await host.answer(payload, { peer: guest.peerId })
    } catch (error) {
      errors.push(isAbzuError(error) && [error.code, error.message])
    }
  }
  t.equal(errors.length, 3)
  t.equal(new Set(errors.map(String)).size, 1)
})

t.test('messages that are none change nothing', async (t) => {
  const { host, guest } = await nodes('host', 'a')
  const peer = guest.peerId
  const whole = request(await host.code())
  const { token } = parsePeerCode(await host.code())
  const malformed = [
    new Uint8Array(),
    whole.subarray(0, -1),
    encode([0, token]),
    encode([1, token, 'x', 1, []]),
    encode([0, token, 'x', -1, []]),
    encode([0, token, 'x', 2 ** 50 + 1, []]),
    encode([0, token, 'x'.repeat(129), 1, []]),
    encode([0, token, 'x', 1, ['x'.repeat(257)]]),
    encode([0, token, 'x', 1, Array.from({ length: 9 }, () => '/ip4/192.0.2.1/tcp/1')]),
  ]
  for (const payload of malformed) {
    await t.rejects(host.answer(payload, { peer }), { code: 'ABZU_MALFORMED' })
    await host.restart()
  }
  t.strictSame(host.trusted.list(), [])
  await host.answer(whole, { peer })
  t.equal(host.trusted.list().length, 1)
})

t.test(
  'a hostile guest: its name is made harmless, its addresses are dialled as its own',
  async (t) => {
    const { host, guest, other } = await nodes('host', 'a', 'b')
    const foreign = `/ip4/192.0.2.9/tcp/1/p2p/${other.peerId}`
    const addresses = ['nonsense', foreign, '/ip4/192.0.2.8/tcp/1']
    const name = '\u001b[2J\u202Eevil\n'
    await host.answer(request(await host.code(), { name, addresses }), { peer: guest.peerId })
    const [peer] = host.trusted.list()
    t.equal(peer?.name, '<U+001B>[2J<U+202E>evil')
    t.strictSame([...host.kept], [[guest.peerId, [`/ip4/192.0.2.8/tcp/1/p2p/${guest.peerId}`]]])
    const asPeer = request(await host.code(), { name: guest.peerId })
    await host.answer(asPeer, { peer: other.peerId })
    t.equal(
      host.trusted.named(guest.peerId).peerId,
      guest.peerId,
      'no name stands for another peer',
    )
  },
)

t.test('who tries too often is not looked at', async (t) => {
  const network = new PairNetwork()
  const limits = {
    peerAttempts: { perSecond: 0.1, burst: 3 },
    nodeAttempts: { perSecond: 1, burst: 5 },
  }
  const host = await PairNode.start(network, { limits })
  const code = await host.code()
  const wrong = request(code, { token: new Uint8Array(16) })
  const tries = async (peer: string) => host.answer(wrong, { peer: peer as PeerId })
  for (let n = 0; n < 3; n++) await t.rejects(tries('a'), denied)
  await t.rejects(tries('a'), { code: 'ABZU_RATE_LIMITED' })
  for (const peer of ['b', 'c']) await t.rejects(tries(peer), denied)
  await t.rejects(tries('d'), { code: 'ABZU_RATE_LIMITED' }, 'all together')
  const guest = await PairNode.start(network)
  await t.rejects(guest.pairing.accept(code), { code: 'ABZU_RATE_LIMITED' })
  await network.time.advance(1000)
  await guest.pairing.accept(code)
})

t.test('what a node gives and trusts has bounds', async (t) => {
  const network = new PairNetwork()
  const limits = { invitesMax: 2, trustedPeersMax: 2 }
  const host = await PairNode.start(network, { limits })
  const codes = [await host.code({ hours: 1 }), await host.code({ hours: 2 })]
  await t.rejects(host.code(), { code: 'ABZU_QUOTA_EXCEEDED' })
  for (const hours of [0, 673, 1.5, Number.NaN]) {
    await t.rejects(host.code({ hours }), { code: 'ABZU_INVALID_ARGUMENT' })
  }
  for (const quotaBytes of [-1, 0.5, 2 ** 50 + 1]) {
    await t.rejects(host.code({ quotaBytes }), { code: 'ABZU_INVALID_ARGUMENT' })
  }
  await network.time.advance(hourMs)
  codes.push(await host.code())
  const guests = []
  for (let n = 0; n < 3; n++) guests.push(await PairNode.start(network, { limits }))
  const [a, b, c] = guests as [PairNode, PairNode, PairNode]
  await a.pairing.accept(codes[1] as string)
  await b.pairing.accept(codes[2] as string)
  const last = await host.code()
  await t.rejects(c.pairing.accept(last), { code: 'ABZU_QUOTA_EXCEEDED' })
  await host.trusted.remove(a.peerId)
  await c.pairing.accept(last)
  for (let n = 0; n < 9; n++) {
    await network.time.advance(10_000)
    await c.pairing.accept(await host.code())
  }
  const rows = []
  for await (const row of host.store.table('peer-invites').range({ limit: 100 })) rows.push(row)
  t.ok(rows.length <= 3, `${rows.length} rows: of each peer the last code that it used`)
})

t.test('no row holds a token', async (t) => {
  const { host } = await nodes('host')
  const { token } = parsePeerCode(await host.code())
  let looked = 0
  for await (const { key, value } of host.store.table('peer-invites').range({ limit: 10 })) {
    looked++
    for (const bytes of [key, value]) t.equal(Buffer.from(bytes).indexOf(token), -1)
  }
  t.equal(looked, 1)
})
