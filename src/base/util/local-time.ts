/** The time of day where the node stands. @module */

const minutesADay = 24 * 60
const minuteMs = 60_000

/** Minutes since midnight at `ms` since 1970, in an IANA time zone. */
export function minuteOfDay(zone: string, ms: number): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(ms)
  const read = (type: string): number => Number(parts.find((part) => part.type === type)?.value)
  return read('hour') * 60 + read('minute')
}

/** The last time, ms since 1970, at which the clock of `zone` showed `minute`: now or before. On the day of a change of
 *  summer time it may be the moment of the change instead. */
export function lastTimeAt(zone: string, minute: number, nowMs: number): number {
  const back = (from: number): number =>
    (minuteOfDay(zone, from) - minute + minutesADay) % minutesADay
  const wholeMs = nowMs - (((nowMs % minuteMs) + minuteMs) % minuteMs)
  const first = wholeMs - back(wholeMs) * minuteMs
  // where the clock was changed on the way, that is an hour off
  const off = back(first)
  return first - (off > minutesADay / 2 ? off - minutesADay : off) * minuteMs
}
