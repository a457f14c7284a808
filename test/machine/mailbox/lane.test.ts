import t from 'tap'
import type { ItemId, PeerId } from '../../../src/base/util/brand.ts'
import { AbzuError, type ErrorCode } from '../../../src/base/util/errors.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import type { Answer, Handover, Parcel } from '../../../src/machine/mailbox/courier.ts'
import { Lane, type LaneDeps, type Letter } from '../../../src/machine/mailbox/lane.ts'
import { sleep } from '../../../src/base/util/wait.ts'
import { ManualTime } from '../../support/manual-time.ts'

const by = '12D3KooWhome' as PeerId
const receipt: Answer = { kind: 'receipt', by, as: 'home', holdUntilHours: 1 }
const refusal = (error: ErrorCode, retryAfterMs = 0): Answer => ({
  kind: 'refused',
  by,
  error,
  retryAfterMs,
  record: new Uint8Array(),
})

/** A home that answers as it is told, and counts. */
class Home implements Handover {
  inFlight = 0
  mostInFlight = 0
  isUp = true
  connects = 0
  readonly seen: number[] = []
  answer: (seq: number) => Answer | Error | Promise<Answer> = () => receipt
  #closed = Promise.withResolvers<void>()
  closed = this.#closed.promise

  async connect(): Promise<Handover> {
    this.connects++
    if (!this.isUp) throw new AbzuError('ABZU_UNREACHABLE', 'the home is off')
    this.#closed = Promise.withResolvers<void>()
    this.closed = this.#closed.promise
    return this
  }

  async deliver(parcel: Parcel): Promise<Answer> {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    try {
      const seq = parcel.id[0] as number
      this.seen.push(seq)
      const answer = await this.answer(seq)
      if (answer instanceof Error) throw answer
      return answer
    } finally {
      this.inFlight--
    }
  }

  async close(): Promise<void> {
    this.#closed.resolve()
  }
}

function setUp(init: Partial<LaneDeps> = {}) {
  const time = new ManualTime()
  const home = new Home()
  const settled: string[] = []
  const late: number[] = []
  const putOff: number[] = []
  const lane = new Lane({
    clock: time,
    scheduler: time,
    jitter: () => 1,
    log: silentLog,
    connect: async () => home.connect(),
    load: ({ id }) => ({
      id,
      mailbox: new Uint8Array(32),
      doorId: new Uint8Array(8),
      proof: new Uint8Array(16),
      envelope: new Uint8Array(),
    }),
    pace: () => 0,
    settle: (letter, outcome) => {
      settled.push(`${letter.seq} ${outcome.kind === 'refused' ? outcome.error : outcome.kind}`)
    },
    late: (letters) => late.push(...letters.map(({ seq }) => seq)),
    putOff: ({ seq }) => putOff.push(seq),
    ...init,
  })
  const letter = (seq: number, expiresAtHours = 2 ** 31): Letter => ({
    from: '',
    seq,
    id: new Uint8Array(32).fill(seq) as ItemId,
    expiresAtHours,
  })
  return { time, home, lane, settled, late, putOff, letter }
}

t.test('sends in order over one way, and ends it when idle', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  for (const seq of [1, 2, 3]) lane.add(letter(seq))
  await time.advance(0)
  t.strictSame(settled, ['1 receipt', '2 receipt', '3 receipt'])
  t.equal(home.connects, 1)
  t.equal(lane.size, 0)
  await time.advance(60_000)
  lane.add(letter(4))
  await time.advance(0)
  t.equal(home.connects, 2, 'the idle way was closed')
})

t.test('a home that breaks off every way is tried with backoff as well', async (t) => {
  const time = new ManualTime()
  const home = new Home()
  const { lane, letter } = setUp({
    clock: time,
    scheduler: time,
    connect: async (signal) => {
      await sleep(time, 10, signal)
      return home.connect()
    },
  })
  // as a courier does: that the way is gone is heard before what was on it comes back
  home.answer = async () => {
    await home.close()
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    throw new AbzuError('ABZU_UNREACHABLE', 'it broke off')
  }
  for (let n = 0; n < 300; n++) lane.add(letter(n % 256))
  await time.advance(60_000)
  t.ok(home.connects > 5 && home.connects < 15, `${home.connects} attempts in a minute`)
  t.equal(lane.size, 300)
  await lane.close()
})

t.test('keeps at most its window in flight', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  const gate = Promise.withResolvers<Answer>()
  home.answer = async () => gate.promise
  for (let n = 0; n < 600; n++) lane.add(letter(n % 256))
  await time.advance(0)
  t.equal(home.inFlight, 256)
  gate.resolve(receipt)
  await time.advance(0)
  t.equal(settled.length, 600)
  t.equal(home.mostInFlight, 256)
})

t.test(
  'a home that is off is tried with backoff, and found within 15 s of its return',
  async (t) => {
    const { time, home, lane, settled, letter } = setUp()
    home.isUp = false
    lane.add(letter(1))
    await time.advance(300_000)
    t.ok(home.connects > 20 && home.connects < 40, `${home.connects} attempts in 5 minutes`)
    home.isUp = true
    await time.advance(15_000)
    t.strictSame(settled, ['1 receipt'])
  },
)

t.test('a home that connects is served at once', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  home.isUp = false
  lane.add(letter(1))
  await time.advance(100_000)
  home.isUp = true
  lane.wake()
  await time.advance(0)
  t.strictSame(settled, ['1 receipt'])
})

t.test('what was in flight when the way broke is sent again', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  let broken = 2
  home.answer = (seq) =>
    seq === 2 && broken-- > 0 ? new AbzuError('ABZU_UNREACHABLE', 'reset') : receipt
  for (const seq of [1, 2, 3]) lane.add(letter(seq))
  await time.advance(30_000)
  t.strictSame(settled.toSorted(), ['1 receipt', '2 receipt', '3 receipt'])
})

t.test('a passing refusal is repeated when the home says so, a final one is not', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  let refusals = 1
  home.answer = (seq) => {
    if (seq === 1) return refusal('ABZU_DOOR_CLOSED')
    return refusals-- > 0 ? refusal('ABZU_RATE_LIMITED', 20_000) : receipt
  }
  lane.add(letter(1))
  lane.add(letter(2))
  await time.advance(19_000)
  t.strictSame(settled, ['1 ABZU_DOOR_CLOSED'])
  t.equal(home.seen.length, 2)
  await time.advance(2000)
  t.strictSame(settled, ['1 ABZU_DOOR_CLOSED', '2 receipt'])
})

t.test('each refusal in a row doubles the wait, up to ten minutes', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  const triedAtMs: number[] = []
  home.answer = () => {
    triedAtMs.push(time.monotonicMs())
    return refusal('ABZU_RATE_LIMITED')
  }
  lane.add(letter(1))
  await time.advance(3_600_000)
  const waitedMs = triedAtMs.map((atMs, n) => atMs - (triedAtMs[n - 1] ?? 0)).slice(1)
  t.strictSame(
    waitedMs.slice(0, 10),
    [2, 4, 8, 16, 32, 64, 128, 256, 512, 600].map((seconds) => seconds * 1000),
  )
  t.ok(waitedMs.length < 16, `${waitedMs.length} tries in an hour`)
  home.answer = () => receipt
  await time.advance(600_000)
  t.strictSame(settled, ['1 receipt'])
})

t.test('no home keeps a letter for ever, or for no time', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  let tries = 0
  home.answer = () => (++tries === 1 ? refusal('ABZU_RATE_LIMITED', 2 ** 50) : receipt)
  lane.add(letter(1))
  await time.advance(599_000)
  t.equal(tries, 1)
  await time.advance(1000)
  t.strictSame(settled, ['1 receipt'])
})

t.test('waits are not in step with those of others', async (t) => {
  const fractions = [0, 0.5, 1]
  const { time, home, lane, letter } = setUp({ jitter: () => fractions.shift() ?? 1 })
  const triedAtMs: number[] = []
  home.answer = () => {
    triedAtMs.push(time.monotonicMs())
    return refusal('ABZU_QUOTA_EXCEEDED')
  }
  for (const seq of [1, 2, 3]) lane.add(letter(seq))
  await time.advance(2500)
  t.strictSame(triedAtMs, [0, 0, 0, 1400, 1700, 2000])
})

t.test('a home that is overloaded is left alone, and more so each time', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  home.answer = () => refusal('ABZU_OVERLOADED')
  for (let seq = 1; seq <= 50; seq++) lane.add(letter(seq))
  await time.advance(0)
  t.equal(home.seen.length, 50, 'what was in flight')
  for (let seq = 51; seq <= 100; seq++) lane.add(letter(seq))
  await time.advance(1900)
  t.equal(home.seen.length, 50, 'new letters wait as well')
  await time.advance(3_600_000)
  t.ok(home.seen.length < 100 * 16, `${home.seen.length} tries of 100 letters in an hour`)
  home.answer = () => receipt
  await time.advance(1_200_000)
  t.equal(settled.length, 100)
})

t.test('a home that refused everything is tried at once when it connects again', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  home.answer = () => refusal('ABZU_STORE_FAILED')
  lane.add(letter(1))
  await time.advance(1_000_000)
  home.answer = () => receipt
  lane.wake()
  await time.advance(0)
  t.strictSame(settled, ['1 receipt'])
})

t.test('a mailbox that is full does not hold up the letters to others', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  home.answer = (seq) => (seq === 1 ? refusal('ABZU_QUOTA_EXCEEDED') : receipt)
  for (const seq of [1, 2, 3]) lane.add(letter(seq))
  await time.advance(0)
  t.strictSame(settled, ['2 receipt', '3 receipt'])
})

t.test('a letter past its end is not sent any more', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  home.isUp = false
  lane.add(letter(1, Math.floor(time.nowMs() / 3_600_000) + 1))
  await time.advance(3_700_000)
  t.strictSame(settled, ['1 expired'])
  t.equal(lane.size, 0)
})

t.test('paces itself, so that it is never refused for its speed', async (t) => {
  let nextMs = 0
  const { time, lane, settled, letter } = setUp({
    pace: () => {
      const waitMs = Math.max(0, nextMs - time.monotonicMs())
      if (waitMs === 0) nextMs = time.monotonicMs() + 500
      return waitMs
    },
  })
  for (const seq of [1, 2, 3]) lane.add(letter(seq))
  await time.advance(400)
  t.equal(settled.length, 1)
  await time.advance(700)
  t.equal(settled.length, 3)
})

t.test('one damaged letter does not hold the others', async (t) => {
  const { time, lane, settled, letter } = setUp({
    load: ({ seq, id }) => {
      if (seq === 1) throw new AbzuError('ABZU_STORE_DAMAGED', 'a flipped bit')
      return {
        id,
        mailbox: new Uint8Array(32),
        doorId: new Uint8Array(8),
        proof: new Uint8Array(16),
        envelope: new Uint8Array(),
      }
    },
  })
  lane.add(letter(1))
  lane.add(letter(2))
  await time.advance(0)
  t.strictSame(settled, ['2 receipt'])
})

t.test('a closed lane does nothing more', async (t) => {
  const { time, home, lane, letter } = setUp()
  home.isUp = false
  lane.add(letter(1))
  await time.advance(0)
  await lane.close()
  const { connects } = home
  lane.add(letter(2))
  lane.wake()
  await time.advance(100_000)
  t.equal(home.connects, connects)
  t.equal(time.pending, 0, 'no timer is left')
})

t.test(
  'a letter that the host leaves without an answer is told of after 1.5 s, once',
  async (t) => {
    const { time, home, lane, late, settled, letter } = setUp()
    home.isUp = false
    lane.add(letter(1))
    await time.advance(1000)
    lane.add(letter(2))
    await time.advance(499)
    t.strictSame(late, [])
    await time.advance(1)
    t.strictSame(late, [1])
    await time.advance(1000)
    t.strictSame(late, [1, 2])
    home.isUp = true
    const gate = Promise.withResolvers<Answer>()
    home.answer = async () => gate.promise
    await time.advance(20_000)
    t.strictSame(late, [1, 2], 'not again, in flight')
    gate.resolve(receipt)
    await time.advance(0)
    t.strictSame(settled, ['1 receipt', '2 receipt'], 'the lane goes on with them')
  },
)

t.test('what waits behind a host that is silent is late as well, a page at a time', async (t) => {
  const { time, home, lane, late, letter } = setUp()
  home.answer = async () => new Promise(() => {})
  for (let n = 0; n < 600; n++) lane.add(letter(n))
  await time.advance(1500)
  t.equal(late.length, 256)
  await time.advance(10)
  t.equal(late.length, 600)
})

t.test('who waits for the own limits waits for no host, until the host is silent', async (t) => {
  let nextMs = 0
  const { time, home, lane, late, settled, letter } = setUp({
    pace: () => {
      const waitMs = Math.max(0, nextMs - time.monotonicMs())
      if (waitMs === 0) nextMs = time.monotonicMs() + 1000
      return waitMs
    },
  })
  for (let seq = 1; seq <= 6; seq++) lane.add(letter(seq))
  await time.advance(3500)
  t.equal(settled.length, 4)
  t.strictSame(late, [])
  home.answer = async () => new Promise(() => {})
  lane.add(letter(7))
  await time.advance(1900)
  t.strictSame(late, [], 'the fifth was sent 1.4 s ago')
  await time.advance(200)
  t.strictSame(late, [5])
  await time.advance(1500)
  t.strictSame(late, [5, 6, 7], 'it stands in the way of the others')
})

t.test('a host that refuses a letter has answered; one that refuses all has not', async (t) => {
  const { time, home, lane, late, putOff, letter } = setUp()
  home.answer = (seq) => refusal(seq === 1 ? 'ABZU_QUOTA_EXCEEDED' : 'ABZU_DISK_FULL')
  lane.add(letter(1))
  lane.add(letter(2))
  await time.advance(0)
  t.strictSame([putOff, late], [[1], []])
  lane.add(letter(3))
  await time.advance(1500)
  t.strictSame([putOff, late], [[1], [2, 3]])
})

t.test('a letter that is withdrawn is sent no more, wherever it was', async (t) => {
  const { time, home, lane, late, settled, letter } = setUp()
  const [ready, deferred, inFlight, last] = [letter(1), letter(2), letter(3), letter(4)]
  home.isUp = false
  lane.add(ready)
  await time.advance(0)
  lane.withdraw(ready)
  t.equal(lane.size, 0)
  home.isUp = true
  lane.wake()
  home.answer = () => refusal('ABZU_QUOTA_EXCEEDED')
  lane.add(deferred)
  await time.advance(0)
  lane.withdraw(deferred)
  const gate = Promise.withResolvers<Answer>()
  home.answer = async (seq) => (seq === 3 ? gate.promise : receipt)
  lane.add(inFlight)
  await time.advance(0)
  lane.withdraw(inFlight)
  gate.reject(new AbzuError('ABZU_UNREACHABLE', 'reset'))
  lane.add(last)
  await time.advance(600_000)
  t.strictSame(settled, ['4 receipt'])
  t.strictSame(home.seen, [2, 3, 4])
  t.strictSame(late, [])
  t.ok(lane.isIdle)
})

t.test('what is added for later is sent then, and nothing is kept open for it', async (t) => {
  const { time, home, lane, settled, letter } = setUp()
  lane.add(letter(1))
  lane.addLater(letter(2), 3_600_000)
  await time.advance(3_599_000)
  t.strictSame(settled, ['1 receipt'])
  await time.advance(2000)
  t.strictSame(settled, ['1 receipt', '2 receipt'])
  t.equal(home.connects, 2)
})
