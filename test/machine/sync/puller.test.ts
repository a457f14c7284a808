import t, { type Test } from 'tap'
import { mailboxIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { emptySum, sumBytes } from '../../../src/base/store/id-sum.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { concatBytes, joinBytes } from '../../../src/base/util/bytes.ts'
import {
  decodePullerMessage,
  encodeSourceMessage,
  offersOpenMax,
  sharePageMax,
  type PullerMessage,
  type SourceMessage,
} from '../../../src/base/wire/sync.ts'
import { Puller, type Errand } from '../../../src/machine/sync/puller.ts'
import type { FrameStream } from '../../../src/machine/transport/frame-stream.ts'

const platform = nodePlatform()
const rootPk = platform.random(32)
const mailbox = mailboxIdOf(platform, rootPk)
const listed = { kind: 'shared', isFirst: true, isLast: true, roots: rootPk } as const
const ids = platform.random(32)

/** What the puller says to a source that greets it and says this, and with what it ends. */
async function pullFrom(messages: Iterable<SourceMessage | Uint8Array>) {
  return pullRaw(
    (function* () {
      yield { kind: 'welcome', epoch: platform.random(16), isSame: false } as const
      yield* messages
    })(),
  )
}

/** What the puller says to a source that says this, and with what it ends. */
async function pullRaw(messages: Iterable<SourceMessage | Uint8Array>) {
  const said: PullerMessage[] = []
  const stream: FrameStream = {
    peer: 'the source' as PeerId,
    send: (payload) => void said.push(decodePullerMessage(payload as Uint8Array)),
    ready: async () => {},
    async *batches() {
      for (const message of messages) {
        yield [
          message instanceof Uint8Array ? message : concatBytes(...encodeSourceMessage(message)),
        ]
      }
    },
    end: async () => {},
    abort: () => {},
    closed: Promise.resolve(),
  }
  const errand: Errand = {
    named: [],
    greet: async () => {},
    greeted: () => [],
    isKnown: () => false,
    isWelcome: async () => true,
    expectRoom: async () => {},
    claim: () => t.fail('nothing to claim') as never,
    extent: () => {},
    stored: () => {},
    marked: async () => {},
  }
  const deps = {
    platform,
    mailboxes: {
      rootOf: () => rootPk,
      wants: () => true,
      host: async () => t.fail('nothing is hosted') as never,
      takeCopies: async () => {},
    },
    origins: { note: () => {} },
    items: {
      digest: () => ({ count: 0, sum: sumBytes(emptySum()), buckets: () => t.fail() as never }),
      idPrefixes: async () => [],
    },
  }
  const end = await new Puller(deps, stream, errand).run().then(
    () => undefined,
    (error: unknown) => error,
  )
  return { said, end }
}

/** A list of so many mailboxes, page by page, which never ends. */
function* endlessList(count: number): Generator<SourceMessage> {
  for (let sent = 0; sent < count; sent += sharePageMax) {
    const roots = platform.random(32 * Math.min(sharePageMax, count - sent))
    yield { kind: 'shared', isFirst: sent === 0, isLast: false, roots }
  }
}

function* offers(count: number): Generator<SourceMessage> {
  yield listed
  for (let offer = 0; offer < count; offer++) yield { kind: 'offer', offer, mailbox, ids }
}

async function breaks(t: Test, messages: Iterable<SourceMessage | Uint8Array>, code: string) {
  t.match((await pullFrom(messages)).end, { code })
}

t.test('a list has an end', async (t) => {
  t.equal((await pullFrom(endlessList(100_000))).end, undefined)
  await breaks(t, endlessList(100_001), 'ABZU_PROTOCOL_VIOLATION')
  const same = Array.from({ length: 26 }, (_, n): SourceMessage => ({
    ...listed,
    isFirst: n === 0,
    isLast: false,
    roots: joinBytes(Array.from({ length: sharePageMax }, () => rootPk)),
  }))
  await breaks(t, same, 'ABZU_PROTOCOL_VIOLATION')
})

t.test('no more comes than was wanted', async (t) => {
  const one = { kind: 'chunk', expiresAtHours: 0, pool: 0, signed: new Uint8Array() } as const
  const items = (count: number): SourceMessage => ({
    kind: 'items',
    offer: 0,
    isLast: false,
    items: Array.from({ length: count }, () => ({ ...one, body: platform.random(10) })),
  })
  t.equal((await pullFrom([...offers(1), items(1), items(1)])).end, undefined)
  await breaks(t, [...offers(1), items(1), items(2)], 'ABZU_PROTOCOL_VIOLATION')
})

t.test('so have the offers that are open', async (t) => {
  const { said, end } = await pullFrom(offers(offersOpenMax))
  t.equal(end, undefined)
  t.equal(said.filter(({ kind }) => kind === 'want').length, offersOpenMax)
  await breaks(t, offers(offersOpenMax + 1), 'ABZU_PROTOCOL_VIOLATION')
})

t.test(
  'nothing is wanted of a mailbox that was not listed, and nothing taken of no offer',
  async (t) => {
    const { said, end } = await pullFrom([{ kind: 'offer', offer: 1, mailbox, ids }])
    t.equal(end, undefined)
    t.match(said, [{ kind: 'want', offer: 1, bits: Uint8Array.of(0) }])
    await breaks(
      t,
      [listed, { kind: 'items', offer: 7, isLast: true, items: [] }],
      'ABZU_PROTOCOL_VIOLATION',
    )
  },
)

t.test('whoever has not greeted has nothing to say', async (t) => {
  const set = { count: 0, sum: new Uint8Array(32) }
  const early: SourceMessage[] = [
    listed,
    { kind: 'offer', offer: 1, mailbox, ids },
    { kind: 'items', offer: 1, isLast: true, items: [] },
    { kind: 'mark', upTo: 1, set, items: set },
  ]
  for (const message of early) {
    t.match((await pullRaw([message])).end, { code: 'ABZU_PROTOCOL_VIOLATION' }, message.kind)
  }
})

t.test('what is cut off, and what nobody says', async (t) => {
  const whole = concatBytes(...encodeSourceMessage({ kind: 'offer', offer: 1, mailbox, ids }))
  for (let length = 0; length < whole.length; length += 7) {
    await breaks(t, [listed, whole.subarray(0, length)], 'ABZU_MALFORMED')
  }
  await breaks(t, [Uint8Array.of(0x91, 99)], 'ABZU_MALFORMED')
})
