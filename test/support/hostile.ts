/**
 * Hostile bytes for every decoder: the same seed gives the same inputs, so that a failure can be
 * played again.
 * @module
 */

/** Longest input: what invariant I32 bounds a decoder's time and memory for. */
export const hostileBytesMax = 64 * 1024

/** A small seeded generator (mulberry32): the next integer from 0 up to, not including, `below`. */
export function seededIntegers(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

type Draw = (below: number) => number

const slabBytes = 2 ** 20
let slab = new ArrayBuffer(slabBytes)
let slabUsed = 0

/** Zeroes from a slab of many: an `ArrayBuffer` for each of so many inputs would keep the garbage collector busy. */
function allocated(length: number): Uint8Array {
  if (slabUsed + length > slabBytes) {
    slab = new ArrayBuffer(slabBytes)
    slabUsed = 0
  }
  const bytes = new Uint8Array(slab, slabUsed, length)
  slabUsed += length
  return bytes
}

function copyOf(sample: Uint8Array): Uint8Array {
  const copy = allocated(sample.length)
  copy.set(sample)
  return copy
}

function randomBytes(draw: Draw, length: number): Uint8Array {
  const bytes = allocated(length)
  for (let at = 0; at < length; at++) bytes[at] = draw(256)
  return bytes
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = allocated(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Bytes that mean something to msgpack, to a length prefix, to UTF-8 or to a JSON parser. */
const telling = [
  0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xc9, 0xca,
  0xcb, 0xcf, 0xd3, 0xd4, 0xd8, 0xd9, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff, 0x22, 0x5b, 0x7b,
]

/** Openings of msgpack values that announce far more than follows. */
const announcements = [
  [0xc6, 0xff, 0xff, 0xff, 0xff],
  [0xdb, 0x7f, 0xff, 0xff, 0xff],
  [0xdd, 0xff, 0xff, 0xff, 0xff],
  [0xdf, 0xff, 0xff, 0xff, 0xff],
  [0xdc, 0xff, 0xff],
  [0xde, 0xff, 0xff],
  [0xc9, 0xff, 0xff, 0xff, 0xff, 0x72],
].map((bytes) => Uint8Array.from(bytes))

type Mutation = (draw: Draw, sample: Uint8Array, other: Uint8Array) => Uint8Array

const flipped: Mutation = (draw, sample) => {
  const copy = copyOf(sample)
  if (copy.length === 0) return copy
  for (let flips = 1 + draw(8); flips > 0; flips--) {
    const at = draw(copy.length)
    copy[at] = (copy[at] as number) ^ (1 << draw(8))
  }
  return copy
}

const truncated: Mutation = (draw, sample) => sample.slice(0, draw(sample.length + 1))

const extended: Mutation = (draw, sample) => join(sample, randomBytes(draw, 1 + draw(64)))

const retold: Mutation = (draw, sample) => {
  const copy = copyOf(sample)
  for (let changes = 1 + draw(4); changes > 0 && copy.length > 0; changes--) {
    copy[draw(copy.length)] = telling[draw(telling.length)] as number
  }
  return copy
}

const spliced: Mutation = (draw, sample, other) =>
  join(sample.subarray(0, draw(sample.length + 1)), other.subarray(draw(other.length + 1)))

const repeated: Mutation = (draw, sample) => {
  const at = draw(sample.length + 1)
  const piece = sample.subarray(at, at + 1 + draw(32))
  const times = Array.from({ length: 1 + draw(16) }, () => piece)
  return join(sample.subarray(0, at), ...times, sample.subarray(at))
}

const announced: Mutation = (draw, sample) => {
  const at = draw(sample.length + 1)
  const lie = announcements[draw(announcements.length)] as Uint8Array
  const kept = draw(2) === 0 ? at : at + lie.length
  return join(sample.subarray(0, at), lie, sample.subarray(kept))
}

/** A length prefix of 1, 2 or 4 bytes set to its largest or a huge value, somewhere. */
const blownUp: Mutation = (draw, sample) => {
  const copy = copyOf(sample)
  const width = [1, 2, 4][draw(3)] as number
  const at = draw(Math.max(1, copy.length - width + 1))
  copy.fill(draw(2) === 0 ? 0xff : 0x7f, at, at + width)
  return copy
}

const random: Mutation = (draw) => randomBytes(draw, draw(256))

const openings = [[0x91], [0x81, 0xa1, 0x61], [0xdc, 0x00, 0x01], [0x92, 0x01], [0x5b]]

/** Containers in containers: arrays, maps with a short key, or brackets. */
const nested: Mutation = (draw, sample) => {
  const depth = 1 + draw(draw(8) === 0 ? 4096 : 40)
  const opening = openings[draw(openings.length)] as number[]
  const all = allocated(depth * opening.length)
  for (let at = 0; at < all.length; at += opening.length) all.set(opening, at)
  return join(all, sample)
}

const mutations: readonly Mutation[] = [
  flipped,
  truncated,
  extended,
  retold,
  spliced,
  repeated,
  announced,
  blownUp,
  random,
  nested,
]

/** Large inputs, of one repeated byte, of noise, or of a sample over and over. */
function oversize(draw: Draw, sample: Uint8Array): Uint8Array {
  const length = hostileBytesMax - draw(4) * draw(1024)
  const whole = allocated(length)
  const pattern = [
    Uint8Array.of(telling[draw(telling.length)] as number),
    randomBytes(draw, 256),
    sample.length > 0 ? sample : Uint8Array.of(0x90),
  ][draw(3)] as Uint8Array
  for (let at = 0; at < length; at += pattern.length) {
    whole.set(pattern.subarray(0, length - at), at)
  }
  if (draw(2) === 0) whole.set(announcements[draw(announcements.length)] as Uint8Array, 0)
  return whole
}

/** One input in so many is a large one. */
const oversizeEvery = 500

/** `count` inputs, 64 KiB at most each, made from `samples` of what the decoder takes: truncated, oversize,
 *  deeply nested, bit-flipped, spliced, random, with lengths blown up. A few are valid by accident. */
export function* hostileInputs(
  seed: number,
  samples: readonly Uint8Array[],
  count: number,
): Iterable<Uint8Array> {
  const draw = seededIntegers(seed)
  const any = (): Uint8Array => samples[draw(samples.length)] ?? new Uint8Array(0)
  for (let i = 0; i < count; i++) {
    if (i % oversizeEvery === oversizeEvery - 1) {
      yield oversize(draw, any())
      continue
    }
    let input = any()
    for (let times = draw(4) === 0 ? 2 : 1; times > 0; times--) {
      input = (mutations[draw(mutations.length)] as Mutation)(draw, input, any())
    }
    yield input.subarray(0, hostileBytesMax)
  }
}
