/**
 * A second reader of the part of msgpack that Abzu accepts, written from the format's description and
 * not from the code under test: a list of rules, slow and plain.
 * @module
 */

const depthMax = 16
const itemsMax = 4096
const textOf = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

class Refused extends Error {}

function check(condition: boolean): asserts condition {
  if (!condition) throw new Refused()
}

function bigEndian(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
}

function read(input: Uint8Array): unknown {
  let rest = input
  let items = 0

  const take = (length: number): Uint8Array => {
    check(length <= rest.length)
    const taken = rest.slice(0, length)
    rest = rest.slice(length)
    return taken
  }
  const unsigned = (width: number): number => Number(bigEndian(take(width)))
  const integer = (value: bigint): number => {
    check(value <= 2n ** 53n - 1n && value >= 1n - 2n ** 53n)
    return Number(value)
  }
  const signed = (width: number): number =>
    integer(BigInt.asIntN(8 * width, bigEndian(take(width))))
  const text = (length: number): string => {
    const bytes = take(length)
    try {
      return textOf.decode(bytes)
    } catch {
      throw new Refused()
    }
  }
  const float = (): number => {
    const value = new DataView(take(8).buffer).getFloat64(0)
    check(Number.isInteger(value) && Math.abs(value) < 2 ** 53 && !Object.is(value, -0))
    return value
  }
  const byteString = (length: number): Uint8Array => {
    items++
    check(items <= itemsMax)
    return take(length)
  }
  const array = (length: number, depth: number): unknown[] => {
    check(depth < depthMax)
    const elements: unknown[] = []
    while (elements.length < length) elements.push(value(depth + 1))
    return elements
  }
  const map = (length: number, depth: number): unknown => {
    check(depth < depthMax)
    const entries: [string, unknown][] = []
    for (let i = 0; i < length; i++) {
      items += 2
      check(items <= itemsMax)
      const tag = unsigned(1)
      check((tag >= 0xa0 && tag <= 0xbf) || tag === 0xd9)
      const key = text(tag === 0xd9 ? unsigned(1) : tag - 0xa0)
      check(key !== '__proto__' && entries.every(([other]) => other !== key))
      entries.push([key, value(depth + 1)])
    }
    return Object.fromEntries(entries)
  }

  const value = (depth: number): unknown => {
    items++
    check(items <= itemsMax)
    const tag = unsigned(1)
    if (tag < 0x80) return tag
    if (tag < 0x90) return map(tag - 0x80, depth)
    if (tag < 0xa0) return array(tag - 0x90, depth)
    if (tag < 0xc0) return text(tag - 0xa0)
    if (tag >= 0xe0) return tag - 0x100
    const readers: Record<number, () => unknown> = {
      0xc0: () => null,
      0xc2: () => false,
      0xc3: () => true,
      0xc4: () => byteString(unsigned(1)),
      0xc5: () => byteString(unsigned(2)),
      0xc6: () => byteString(unsigned(4)),
      0xcb: float,
      0xcc: () => unsigned(1),
      0xcd: () => unsigned(2),
      0xce: () => unsigned(4),
      0xcf: () => integer(bigEndian(take(8))),
      0xd0: () => signed(1),
      0xd1: () => signed(2),
      0xd2: () => signed(4),
      0xd3: () => signed(8),
      0xd9: () => text(unsigned(1)),
      0xda: () => text(unsigned(2)),
      0xdb: () => text(unsigned(4)),
      0xdc: () => array(unsigned(2), depth),
      0xdd: () => array(unsigned(4), depth),
      0xde: () => map(unsigned(2), depth),
      0xdf: () => map(unsigned(4), depth),
    }
    const reader = readers[tag]
    check(reader !== undefined)
    return reader()
  }

  const result = value(0)
  check(rest.length === 0)
  return result
}

/** What `input` means, or undefined where it is to be refused. */
export function referenceDecode(input: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: read(input) }
  } catch (error) {
    if (error instanceof Refused) return undefined
    throw error
  }
}
