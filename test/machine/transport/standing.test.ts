import t from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import type { ErrorCode } from '../../../src/base/util/errors.ts'
import { isViolation, Standing, type Speaker } from '../../../src/machine/transport/standing.ts'
import { ManualTime } from '../../support/manual-time.ts'

const limits = {
  peerViolations: { perSecond: 0.1, burst: 3 },
  addressViolations: { perSecond: 0.1, burst: 6 },
  shutOutMinMs: 60_000,
  shutOutMaxMs: 240_000,
  shutOutForgetMs: 600_000,
  standingsMax: 4,
}

const speaker = (name: string, host = name): Speaker => ({
  peerId: name as PeerId,
  address: `/ip4/${host}/tcp/1`,
})

function open(kept: readonly string[] = []) {
  const clock = new ManualTime()
  const standing = new Standing({ clock, limits, isKept: (peerId) => kept.includes(peerId) })
  /** Violates until shut out, and returns for how long that lasts. */
  const shutOutMs = async (who: Speaker) => {
    let count = 0
    while (!standing.violated(who)) if (++count > 100) throw new Error('never shut out')
    const beganAtMs = clock.monotonicMs()
    while (standing.isShutOut(who)) await clock.advance(1000)
    return clock.monotonicMs() - beganAtMs
  }
  return { clock, standing, shutOutMs }
}

t.test('some violations are forgiven, one too many is not', async (t) => {
  const { clock, standing } = open()
  const one = speaker('one')
  for (let n = 0; n < 3; n++) t.notOk(standing.violated(one), `the ${n + 1}. violation`)
  t.notOk(standing.isShutOut(one))
  await clock.advance(10_000)
  t.notOk(standing.violated(one), 'ten seconds give one back')
  t.ok(standing.violated(one))
  t.ok(standing.isShutOut(one))
  t.notOk(standing.isShutOut(speaker('two')), 'nobody else is')
  await clock.advance(59_999)
  t.ok(standing.isShutOut(one))
  await clock.advance(1)
  t.notOk(standing.isShutOut(one), 'nobody is shut out for good')
})

t.test('each time lasts twice as long, to a longest, until it is forgotten', async (t) => {
  const { clock, shutOutMs } = open()
  const one = speaker('one')
  const times: number[] = []
  for (let n = 0; n < 4; n++) times.push(await shutOutMs(one))
  t.same(times, [60_000, 120_000, 240_000, 240_000])
  await clock.advance(limits.shutOutForgetMs)
  t.equal(await shutOutMs(one), 60_000)
})

t.test('a kept peer is shut out for a short while only, its neighbours never', async (t) => {
  const { standing, shutOutMs } = open(['kept'])
  const kept = speaker('kept', '192.0.2.1')
  for (let n = 0; n < 4; n++) t.equal(await shutOutMs(kept), 60_000)
  t.notOk(standing.isShutOut(speaker('other', '192.0.2.1')))
})

t.test('a new name from the same address does not help; a kept peer there is let in', async (t) => {
  const { standing } = open(['kept'])
  for (let n = 0; n < 7; n++) standing.violated(speaker(`name ${n}`, '192.0.2.1'))
  t.ok(standing.isShutOut(speaker('a new name', '192.0.2.1')))
  t.notOk(standing.isShutOut(speaker('a new name', '192.0.2.2')))
  t.notOk(standing.isShutOut(speaker('kept', '192.0.2.1')))
})

t.test('the table is bounded: the latest are remembered', async (t) => {
  const { standing } = open()
  const all = Array.from({ length: 6 }, (_, n) => speaker(`peer ${n}`))
  for (const one of all) while (!standing.violated(one));
  t.same(
    all.map((one) => standing.isShutOut(one)),
    [false, false, true, true, true, true],
  )
})

t.test('what counts as a violation', async (t) => {
  const counted: ErrorCode[] = ['ABZU_PROTOCOL_VIOLATION', 'ABZU_MALFORMED', 'ABZU_TOO_LARGE']
  const spared: ErrorCode[] = ['ABZU_TIMEOUT', 'ABZU_OVERLOADED', 'ABZU_INTERNAL', 'ABZU_CLOSED']
  for (const code of counted) t.ok(isViolation(code), code)
  for (const code of spared) t.notOk(isViolation(code), code)
})
