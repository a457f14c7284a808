/**
 * Shapes of decoded values: the schema of each record, written once, checked before any use.
 * A shape takes an unknown value and returns it typed, or throws.
 * @module
 */

import { AbzuError } from '../util/errors.ts'
import { utf8 } from '../util/bytes.ts'
import { decode } from './codec.ts'

export type Shape<T> = (value: unknown, path: string) => T
export type Shaped<S> = S extends Shape<infer T> ? T : never

function wrong(path: string, wanted: string): AbzuError {
  return new AbzuError('ABZU_MALFORMED', `${path} is not ${wanted}`)
}

/** A byte string of exactly `length` bytes. */
export function bytes(length: number): Shape<Uint8Array> {
  return bytesBetween(length, length)
}

/** A byte string of `min` to `max` bytes. */
export function bytesBetween(min: number, max: number): Shape<Uint8Array> {
  return (value, path) => {
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max) {
      throw wrong(path, `${min} to ${max} bytes`)
    }
    return value
  }
}

/** An integer from 0 to `max`. */
export function uint(max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value, path) => {
    if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > max) {
      throw wrong(path, `an integer from 0 to ${max}`)
    }
    return value as number
  }
}

/** A string of at most `bytesMax` bytes of UTF-8 in NFC. */
export function text(bytesMax: number): Shape<string> {
  return (value, path) => {
    if (typeof value !== 'string' || value.length > bytesMax || utf8(value).length > bytesMax) {
      throw wrong(path, `a text of at most ${bytesMax} bytes`)
    }
    if (!value.isWellFormed()) throw wrong(path, 'without lone surrogates')
    if (value.normalize('NFC') !== value) throw wrong(path, 'in Unicode form NFC')
    return value
  }
}

export const bool: Shape<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw wrong(path, 'a boolean')
  return value
}

/** Exactly `expected`. */
export function literal<const T extends string | number>(expected: T): Shape<T> {
  return (value, path) => {
    if (value !== expected) throw wrong(path, JSON.stringify(expected))
    return expected
  }
}

/** One of `expected`. */
export function oneOf<const T extends string | number>(...expected: readonly T[]): Shape<T> {
  return (value, path) => {
    if (!expected.includes(value as T)) throw wrong(path, `one of ${expected.join(', ')}`)
    return value as T
  }
}

/** An element of a list, whose place is put into words only where it is wrong. */
function inside<T>(shape: Shape<T>, element: unknown, path: string, i: number): T {
  try {
    return shape(element, path)
  } catch {
    return shape(element, `${path}[${i}]`)
  }
}

/** At most `max` elements, each of `shape`. */
export function list<T>(shape: Shape<T>, max: number): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > max) throw wrong(path, `a list of at most ${max}`)
    return value.map((element, i) => inside(shape, element, path, i))
  }
}

/** An array with one shape per place. */
export function tuple<const T extends readonly unknown[]>(
  ...shapes: { readonly [K in keyof T]: Shape<T[K]> }
): Shape<T> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length !== shapes.length) {
      throw wrong(path, `a list of ${shapes.length}`)
    }
    return shapes.map((shape, i) => inside(shape, value[i], path, i)) as unknown as T
  }
}

/** A field that may be missing. */
export interface Optional<T> {
  readonly optional: Shape<T>
}

export function optional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape }
}

type Fields = Readonly<Record<string, Shape<unknown> | Optional<unknown>>>
type Required<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Optional<unknown> ? never : K]: F[K] extends Shape<infer T>
    ? T
    : never
}
type Missing<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Optional<unknown> ? K : never]?: F[K] extends Optional<
    infer T
  >
    ? T
    : never
}

/** A map with exactly these fields; an unknown key is refused, since signed bytes have one meaning. */
export function record<const F extends Fields>(fields: F): Shape<Required<F> & Missing<F>> {
  const names = new Set(Object.keys(fields))
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw wrong(path, 'a map')
    }
    if (value instanceof Uint8Array) throw wrong(path, 'a map')
    for (const key of Object.keys(value))
      if (!names.has(key)) throw wrong(path, 'free of other keys')
    const given = value as Record<string, unknown>
    const result: Record<string, unknown> = {}
    for (const [name, shape] of Object.entries(fields)) {
      const isOptional = typeof shape !== 'function'
      if (isOptional && !Object.hasOwn(given, name)) continue
      const check = isOptional ? shape.optional : shape
      result[name] = check(Object.hasOwn(given, name) ? given[name] : undefined, `${path}.${name}`)
    }
    return result as Required<F> & Missing<F>
  }
}

/** Decodes `bytes` and checks them against `shape`; `what` names them in the error.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function decodeShape<T>(shape: Shape<T>, bytes: Uint8Array, what: string): T {
  return shape(decode(bytes), what)
}
