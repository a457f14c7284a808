/** Limits as people write them. @module */

import { AbzuError } from '../../base/util/errors.ts'
import type { Rate } from '../../base/util/gcra.ts'
import { formatByteCount, parseByteCount } from './byte-count.ts'

/** Without another number, so many seconds of a rate may come at once. */
const burstSeconds = 10

type Kind = 'rate' | 'bytes' | 'items'

/** What a person, or everybody of a role, may be given. */
export const personWords = {
  sending: 'rate',
  receiving: 'rate',
  calls: 'rate',
  outboxItems: 'items',
  mailItems: 'items',
  mailBytes: 'bytes',
  vaultItems: 'items',
  vaultBytes: 'bytes',
} as const

/** What the node may do. */
export const nodeWords = {
  sending: 'rate',
  receiving: 'rate',
  calls: 'rate',
  peerSending: 'rate',
  peerReceiving: 'rate',
  householdBytes: 'bytes',
} as const

/** What is kept for another node. */
export const peerWords = { quotaBytes: 'bytes' } as const

type Words = Readonly<Record<string, Kind>>

/** Reads `mail-bytes=1GB`, `sending=20/s` or `sending=20/s,200`; `default` takes away what was set. Each name once.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export function parseLimits<W extends Words>(
  words: W,
  texts: readonly string[],
): Partial<Record<keyof W, Rate | number | null>> {
  const result = new Map<keyof W, Rate | number | null>()
  for (const text of texts) {
    const [, word = '', value = ''] = /^([a-z-]+)=(.+)$/.exec(text) ?? []
    const name = Object.keys(words).find((known) => wordOf(known) === word)
    const kind = name === undefined ? undefined : words[name]
    if (name === undefined || kind === undefined || result.has(name)) {
      const all = Object.keys(words).map(wordOf).join(', ')
      throw invalid(`${text} is none of ${all}, once each, such as mail-bytes=1GB`)
    }
    result.set(name, value === 'default' ? null : parseValue(kind, value))
  }
  return Object.fromEntries(result) as Partial<Record<keyof W, Rate | number | null>>
}

function parseValue(kind: Kind, text: string): Rate | number {
  if (kind === 'bytes') return parseByteCount(text)
  if (kind === 'items') {
    if (/^\d{1,15}$/.test(text)) return Number(text)
    throw invalid(`${text} is no number`)
  }
  const [, perSecond, burst] = /^(\d+(?:\.\d+)?)\/s(?:,(\d{1,15}))?$/.exec(text) ?? []
  if (perSecond === undefined) throw invalid(`${text} is no rate, such as 20/s or 20/s,200`)
  const often = Number(perSecond)
  const atOnce = burst === undefined ? Math.ceil(often * burstSeconds) : Number(burst)
  return { perSecond: often, burst: atOnce }
}

/** `mailBytes` as `mail-bytes`. */
export function wordOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** Each limit on a line: what is used of it, where that is known, and whether it was set. */
export function describeLimits(
  words: Words,
  told: {
    readonly limits: object
    readonly set: readonly string[]
    readonly use?: object | undefined
  },
): string[] {
  const limits = new Map<string, Rate | number>(Object.entries(told.limits))
  const used = new Map<string, number>(Object.entries(told.use ?? {}))
  return Object.entries(words).flatMap(([name, kind]) => {
    const limit = limits.get(name)
    if (limit === undefined) return []
    const now = used.get(name)
    const mark = told.set.includes(name) ? ', set' : ''
    return [`  ${wordOf(name).padEnd(16)}${describe(kind, limit, now)}${mark}`]
  })
}

function describe(kind: Kind, limit: Rate | number, now: number | undefined): string {
  if (typeof limit !== 'number') {
    const { perSecond, burst } = limit
    const taken = now === undefined ? '' : `${Math.ceil(now)} of `
    return `${Number(perSecond.toFixed(3))}/s, ${taken}${burst} at once`
  }
  const amount = (value: number): string =>
    kind === 'bytes' ? formatByteCount(value) : value.toLocaleString('en')
  return now === undefined ? amount(limit) : `${amount(now)} of ${amount(limit)}`
}

function invalid(message: string): AbzuError {
  return new AbzuError('ABZU_INVALID_ARGUMENT', message)
}
