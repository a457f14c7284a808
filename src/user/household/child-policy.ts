/**
 * When a Child may write, and what it is shown: pure rules. A frozen Child, and one outside its hours, sends nothing; what
 * has arrived before stays readable, and what arrives meanwhile is kept and shown afterwards.
 * @see docs/protocol.md#oversight
 * @module
 */

import { AbzuError } from '../../base/util/errors.ts'
import { lastTimeAt, minuteOfDay } from '../../base/util/local-time.ts'
import { literal, optional, record, text, uint, type Shaped } from '../../base/wire/shape.ts'

const minutesADay = 24 * 60
const minute = uint(minutesADay - 1)

/** What the household has set for one Child, as its row has it. */
export const childRulesShape = record({
  v: literal(1),
  /** Minutes since midnight, where the node stands: it may write from then on, until then; past midnight where `to` is
   *  the earlier one. */
  hours: optional(record({ from: minute, to: minute })),
  /** Since when, ms since 1970, and by whom, an account id. */
  frozen: optional(record({ sinceMs: uint(), by: text(90) })),
})
export type ChildRules = Shaped<typeof childRulesShape>
export type WritingHours = NonNullable<ChildRules['hours']>

/** Reads `07:00-20:00`.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export function parseHours(typed: string): WritingHours {
  const found = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(typed.trim())
  const [fromHour, fromMinute, toHour, toMinute] = (found ?? []).slice(1).map(Number)
  const from = (fromHour ?? 0) * 60 + (fromMinute ?? 0)
  const to = (toHour ?? 0) * 60 + (toMinute ?? 0)
  if (found && from !== to) return { from, to }
  throw new AbzuError('ABZU_INVALID_ARGUMENT', 'hours are written 07:00-20:00, of two times')
}

/** `07:00-20:00`. */
export function formatHours({ from, to }: WritingHours): string {
  return `${formatMinute(from)}-${formatMinute(to)}`
}

/** Where the node stands and what time it is. */
export interface Moment {
  /** IANA time zone. */
  readonly zone: string
  readonly nowMs: number
}

/** Since when quiet hours are, ms since 1970; undefined while it may write. */
export function quietSince(
  { hours }: Pick<ChildRules, 'hours'>,
  { zone, nowMs }: Moment,
): number | undefined {
  if (!hours) return undefined
  const { from, to } = hours
  const now = minuteOfDay(zone, nowMs)
  const isOpen = from < to ? now >= from && now < to : now >= from || now < to
  return isOpen ? undefined : lastTimeAt(zone, to, nowMs)
}

/** What has arrived since then waits, ms since 1970; undefined where nothing waits. */
export function waitingSince(rules: ChildRules, moment: Moment): number | undefined {
  const since = [rules.frozen?.sinceMs, quietSince(rules, moment)].filter((ms) => ms !== undefined)
  return since.length === 0 ? undefined : Math.min(...since)
}

/** @throws {AbzuError} ABZU_DENIED where nothing may be sent now */
export function expectMaySend(rules: ChildRules, moment: Moment): void {
  if (rules.frozen) {
    const message =
      'an Admin or Adult of your household has paused your account: what you have stays readable, what arrives is kept for you'
    throw new AbzuError('ABZU_DENIED', message)
  }
  const { hours } = rules
  if (!hours || quietSince(rules, moment) === undefined) return
  const message = `quiet hours: you can write again at ${formatMinute(hours.from)} (${moment.zone})`
  throw new AbzuError('ABZU_DENIED', message)
}

function formatMinute(minute: number): string {
  const pad = (number: number): string => String(number).padStart(2, '0')
  return `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`
}
