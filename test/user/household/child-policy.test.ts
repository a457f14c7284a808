import t from 'tap'
import {
  expectMaySend,
  formatHours,
  parseHours,
  quietSince,
  waitingSince,
  type ChildRules,
} from '../../../src/user/household/child-policy.ts'

const at = (iso: string): number => new Date(iso).getTime()
const moment = (iso: string, zone = 'UTC') => ({ zone, nowMs: at(iso) })

t.test('hours as they are typed', async (t) => {
  for (const hours of ['07:00-20:00', '00:00-23:59', '22:30-06:00']) {
    t.equal(formatHours(parseHours(` ${hours} `)), hours)
  }
  const wrong = ['', '7-20', '07:00', '24:00-07:00', '07:60-20:00', '07:00-07:00', '07:00–20:00']
  for (const hours of [...wrong, '07:00-20:00x', '-', '07:00-20:00-21:00']) {
    t.throws(() => parseHours(hours), { code: 'ABZU_INVALID_ARGUMENT' }, hours)
  }
})

t.test('it may write from the first minute up to, not including, the last', async (t) => {
  const day = { hours: parseHours('07:00-20:00') }
  const isQuiet = (rules: Pick<ChildRules, 'hours'>, iso: string, zone?: string) =>
    quietSince(rules, moment(iso, zone)) !== undefined
  t.equal(isQuiet(day, '2026-01-01T06:59:59Z'), true)
  t.equal(isQuiet(day, '2026-01-01T07:00:00Z'), false)
  t.equal(isQuiet(day, '2026-01-01T19:59:59Z'), false)
  t.equal(isQuiet(day, '2026-01-01T20:00:00Z'), true)
  t.equal(isQuiet(day, '2026-01-01T06:30:00Z', 'Europe/Berlin'), false)
  const night = { hours: parseHours('22:00-06:00') }
  t.equal(isQuiet(night, '2026-01-01T23:00:00Z'), false)
  t.equal(isQuiet(night, '2026-01-01T05:59:00Z'), false)
  t.equal(isQuiet(night, '2026-01-01T06:00:00Z'), true)
  t.equal(isQuiet({}, '2026-01-01T03:00:00Z'), false)
})

t.test(
  'what arrives in quiet hours, or while frozen, waits: from the earlier of both',
  async (t) => {
    const hours = parseHours('07:00-20:00')
    const night = moment('2026-01-02T03:00:00Z')
    t.equal(waitingSince({ v: 1 }, night), undefined)
    t.equal(waitingSince({ v: 1, hours }, night), at('2026-01-01T20:00:00Z'))
    const early = { sinceMs: at('2026-01-01T12:00:00Z'), by: 'anna' }
    t.equal(waitingSince({ v: 1, hours, frozen: early }, night), early.sinceMs)
    const late = { sinceMs: at('2026-01-02T01:00:00Z'), by: 'anna' }
    t.equal(waitingSince({ v: 1, hours, frozen: late }, night), at('2026-01-01T20:00:00Z'))
    t.equal(waitingSince({ v: 1, frozen: late }, night), late.sinceMs)
  },
)

t.test('why nothing may be sent now', async (t) => {
  const hours = parseHours('07:00-20:00')
  const denied = (message: RegExp) => ({ code: 'ABZU_DENIED', message })
  expectMaySend({ v: 1, hours }, moment('2026-01-01T12:00:00Z'))
  t.throws(
    () => expectMaySend({ v: 1, hours }, moment('2026-01-01T20:00:00Z', 'Europe/Berlin')),
    denied(/quiet hours.* at 07:00 \(Europe\/Berlin\)/),
  )
  const frozen = { sinceMs: 0, by: 'anna' }
  t.throws(() => expectMaySend({ v: 1, frozen }, moment('2026-01-01T12:00:00Z')), denied(/paused/))
})
