/** Limits that were changed: checked against what is sensible, and kept as rows. @module */

import { concatBytes, utf8 } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { Rate } from '../../base/util/gcra.ts'
import { encode } from '../../base/wire/codec.ts'
import {
  decodeShape,
  literal,
  optional,
  record,
  uint,
  type Shape,
  type Shaped,
} from '../../base/wire/shape.ts'
import { ceilingTimes, type NodeLimits, type PersonLimits } from './limits.ts'
import { roles, type Role } from './role.ts'

/** What was said other than the default. */
export type Changed<T> = { readonly [K in keyof T]?: T[K] }

/** What is to hold from now on; null is what would hold had nobody said anything. */
export type Changes<T> = { readonly [K in keyof T]?: T[K] | null | undefined }

type Limit = Rate | number

/** Every limit is a rate or a number, which an interface does not say of all of its fields. */
function byName<V = Limit>(limits: object): Record<string, V> {
  return { ...limits }
}

/** Lays `changes` over what was said before, each between its floor and a thousand times the default.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export function changedLimits<T extends PersonLimits | NodeLimits>(
  before: Changed<T>,
  changes: Changes<T>,
  { floor, defaults }: { readonly floor: T; readonly defaults: T },
): Changed<T> {
  const result = byName(before)
  for (const [name, value] of Object.entries(byName<Limit | null | undefined>(changes))) {
    if (value === undefined) continue
    if (value === null) delete result[name]
    else result[name] = checked(name, value, byName(floor)[name], byName(defaults)[name])
  }
  return result as Changed<T>
}

function checked(
  name: string,
  value: Limit,
  floor: Limit | undefined,
  usual: Limit | undefined,
): Limit {
  if (floor === undefined || usual === undefined) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', `there is no such limit: ${name}`)
  }
  if (typeof value === 'number') {
    return between(name, Math.round(value), floor as number, usual as number)
  }
  const { perSecond: least, burst: leastAtOnce } = floor as Rate
  const { perSecond, burst } = usual as Rate
  return {
    perSecond: between(name, Math.round(value.perSecond * 1000) / 1000, least, perSecond),
    burst: between(`${name} at once`, Math.round(value.burst), leastAtOnce, burst),
  }
}

function between(name: string, value: number, least: number, usual: number): number {
  const most = usual * ceilingTimes
  if (value >= least && value <= most) return value
  throw new AbzuError('ABZU_INVALID_ARGUMENT', `${name} is from ${least} to ${most}, not ${value}`)
}

const rate = record({ perThousandSeconds: uint(), burst: uint() })
const whole = optional(uint())

const personRow = record({
  v: literal(1),
  sending: optional(rate),
  receiving: optional(rate),
  calls: optional(rate),
  outboxItems: whole,
  mailItems: whole,
  mailBytes: whole,
  vaultItems: whole,
  vaultBytes: whole,
})

const nodeRow = record({
  v: literal(1),
  sending: optional(rate),
  receiving: optional(rate),
  calls: optional(rate),
  peerSending: optional(rate),
  peerReceiving: optional(rate),
  householdBytes: whole,
})

/** Whose limits a row is about. */
export type LimitsOf = 'node' | { readonly role: Role } | { readonly rootPk: Uint8Array }

const kinds = { node: 0, role: 1, account: 2 } as const

/** The key of a row: a byte that says of what kind, and the role's name or the account's root public key. */
export function limitsKey(of: LimitsOf): Uint8Array {
  if (of === 'node') return Uint8Array.of(kinds.node)
  return 'role' in of
    ? concatBytes(Uint8Array.of(kinds.role), utf8(of.role))
    : concatBytes(Uint8Array.of(kinds.account), of.rootPk)
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function parseLimitsKey(key: Uint8Array): LimitsOf {
  const rest = key.subarray(1)
  if (key[0] === kinds.node && rest.length === 0) return 'node'
  if (key[0] === kinds.account && rest.length === 32) return { rootPk: concatBytes(rest) }
  const role = roles.find((known) => known === new TextDecoder().decode(rest))
  if (key[0] === kinds.role && role) return { role }
  throw new AbzuError('ABZU_MALFORMED', 'limits of nothing that is known')
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodePersonLimits(row: Uint8Array): Changed<PersonLimits> {
  return withRates(decodeShape(personRow, row, 'limits of a person'))
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeNodeLimits(row: Uint8Array): Changed<NodeLimits> {
  return withRates(decodeShape(nodeRow, row, 'limits of the node'))
}

/** msgpack of a map: whole numbers, and rates in pieces a thousand seconds. */
export function encodePersonLimits(limits: Changed<PersonLimits>): Uint8Array {
  return encodeRow(personRow, limits)
}

/** The same of the node. */
export function encodeNodeLimits(limits: Changed<NodeLimits>): Uint8Array {
  return encodeRow(nodeRow, limits)
}

type StoredRate = Shaped<typeof rate>

function encodeRow(shape: Shape<object>, limits: object): Uint8Array {
  const fields = Object.entries(byName(limits)).map(([name, limit]) => {
    if (typeof limit === 'number') return [name, limit]
    const { perSecond, burst } = limit
    return [name, { perThousandSeconds: Math.round(perSecond * 1000), burst }]
  })
  return encode({ ...shape({ v: 1, ...Object.fromEntries(fields) }, 'limits') })
}

function withRates<T>(row: { readonly v: 1 }): Changed<T> {
  const limits: Record<string, Limit> = {}
  for (const [name, limit] of Object.entries(byName<StoredRate | number>(row))) {
    if (name === 'v') continue
    limits[name] = typeof limit === 'number' ? limit : rateOf(limit)
  }
  return limits as Changed<T>
}

function rateOf({ perThousandSeconds, burst }: StoredRate): Rate {
  return { perSecond: perThousandSeconds / 1000, burst }
}
