import t from 'tap'
import { lastTimeAt, minuteOfDay } from '../../../src/base/util/local-time.ts'

const at = (iso: string): number => new Date(iso).getTime()
const iso = (ms: number): string => new Date(ms).toISOString()

t.test('the time of day is that of the zone', async (t) => {
  t.equal(minuteOfDay('UTC', at('2026-01-01T00:00:30Z')), 0)
  t.equal(minuteOfDay('UTC', at('2026-01-01T23:59:59Z')), 24 * 60 - 1)
  t.equal(minuteOfDay('Europe/Berlin', at('2026-01-01T23:30:00Z')), 30)
  t.equal(minuteOfDay('Europe/Berlin', at('2026-07-01T12:00:00Z')), 14 * 60)
  t.equal(minuteOfDay('Asia/Kathmandu', at('2026-01-01T00:00:00Z')), 5 * 60 + 45)
  t.throws(() => minuteOfDay('Nowhere/Land', 0))
})

t.test('when the clock showed a time last', async (t) => {
  const last = (zone: string, hour: number, now: string): string =>
    iso(lastTimeAt(zone, hour * 60, at(now)))
  t.equal(last('UTC', 20, '2026-01-02T06:10:11.500Z'), '2026-01-01T20:00:00.000Z')
  t.equal(last('UTC', 20, '2026-01-02T20:00:00Z'), '2026-01-02T20:00:00.000Z')
  t.equal(last('Europe/Berlin', 20, '2026-01-02T06:10:00Z'), '2026-01-01T19:00:00.000Z')
  t.equal(last('America/New_York', 20, '2026-01-02T00:59:00Z'), '2026-01-01T01:00:00.000Z')
  // over the night in which summer time begins, and that in which it ends
  t.equal(last('Europe/Berlin', 20, '2026-03-29T05:00:00Z'), '2026-03-28T19:00:00.000Z')
  t.equal(last('Europe/Berlin', 20, '2026-10-25T06:00:00Z'), '2026-10-24T18:00:00.000Z')
  t.equal(last('UTC', 20, '1969-12-31T21:00:00Z'), '1969-12-31T20:00:00.000Z')
})
