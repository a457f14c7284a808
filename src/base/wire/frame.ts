/**
 * Frames of a long-lived stream: `length[4, u32be] | type[1] | payload`; the length counts the type
 * and the payload.
 * @see docs/protocol.md#frames
 * @module
 */

import { concatBytes, readU32be } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { wireLimits } from './limits.ts'

export const frameType = {
  /** A message of the protocol. */
  data: 0,
  /** u32be: bytes of data frames that the reader grants on top of what it granted before. */
  credit: 1,
  /** The writer has said all; an end of stream without it is a broken stream. */
  end: 2,
  /** Keeps the stream from looking idle; no payload. */
  ping: 3,
  /** u16be error number; the stream is over. */
  error: 4,
} as const

export type FrameType = (typeof frameType)[keyof typeof frameType]

export interface Frame {
  readonly type: FrameType
  readonly payload: Uint8Array
}

/** Bytes that a frame adds to its payload. */
const frameOverheadBytes = 5
const frameTypes = new Set<number>(Object.values(frameType))

/** What goes before a payload of so many bytes.
 *  @throws {AbzuError} ABZU_TOO_LARGE */
export function frameHead(type: FrameType, payloadBytes: number): Uint8Array {
  if (payloadBytes > wireLimits.frameBytesMax) {
    throw new AbzuError('ABZU_TOO_LARGE', `a frame of ${payloadBytes} bytes`)
  }
  const length = payloadBytes + 1
  return new Uint8Array([length >>> 24, length >>> 16, length >>> 8, length, type])
}

/** @throws {AbzuError} ABZU_TOO_LARGE */
export function encodeFrame(type: FrameType, payload: Uint8Array): Uint8Array {
  return concatBytes(frameHead(type, payload.length), payload)
}

/** Length and type of the frame that `bytes` begin with, `length` counting the whole frame. */
function parseHead(bytes: Uint8Array): { length: number; type: FrameType } {
  const announced = readU32be(bytes)
  if (announced < 1) throw new AbzuError('ABZU_MALFORMED', 'a frame without a type')
  if (announced > wireLimits.frameBytesMax + 1) {
    throw new AbzuError('ABZU_TOO_LARGE', `a frame announces ${announced} bytes`)
  }
  const type = bytes[4] as number
  if (!frameTypes.has(type)) throw new AbzuError('ABZU_MALFORMED', `frame type ${type}`)
  return { length: announced + 4, type: type as FrameType }
}

const noPayload = new Uint8Array(0)
/** What is held back has room for so many times as much as was received, and never for more than its frame: neither a
 *  long announcement nor a drip of single bytes costs much memory, and a large frame is rarely moved. */
const heldGrowth = 4
const heldBytesMin = 256

/** Cuts a stream of bytes into frames. Holds at most one frame that is not complete. */
export class FrameDecoder {
  /** The beginning of an incomplete frame, in a buffer of our own: a small piece never keeps a large chunk alive. */
  #held: Uint8Array = noPayload
  #heldBytes = 0

  /** Bytes held back because their frame is not complete. */
  get pendingBytes(): number {
    return this.#heldBytes
  }

  /** The frames that `chunk` completes, in order. Payloads may share memory with the chunk.
   *  @throws {AbzuError} ABZU_TOO_LARGE or ABZU_MALFORMED, as soon as a header says so; the decoder is of no
   *  use after that. */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = []
    let rest = this.#heldBytes === 0 ? chunk : this.#complete(chunk, frames)
    while (rest.length >= frameOverheadBytes) {
      const { length, type } = parseHead(rest)
      if (rest.length < length) break
      const isEmpty = length === frameOverheadBytes
      frames.push({
        type,
        payload: isEmpty ? noPayload : rest.subarray(frameOverheadBytes, length),
      })
      rest = rest.subarray(length)
    }
    this.#hold(rest)
    return frames
  }

  /** Adds to the held frame what it lacks, and returns what `chunk` holds behind that. */
  #complete(chunk: Uint8Array, frames: Frame[]): Uint8Array {
    const headRest = chunk.subarray(0, Math.max(0, frameOverheadBytes - this.#heldBytes))
    this.#hold(headRest)
    let rest = chunk.subarray(headRest.length)
    if (this.#heldBytes < frameOverheadBytes) return rest
    const { length, type } = parseHead(this.#held)
    const body = rest.subarray(0, length - this.#heldBytes)
    this.#hold(body)
    rest = rest.subarray(body.length)
    if (this.#heldBytes === length) {
      frames.push({ type, payload: this.#held.subarray(frameOverheadBytes, length) })
      this.#held = noPayload
      this.#heldBytes = 0
    }
    return rest
  }

  #hold(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const length = this.#heldBytes + bytes.length
    if (length > this.#held.length) {
      const beginning = this.#heldBytes >= frameOverheadBytes ? this.#held : bytes
      const isHeadHere = beginning.length >= frameOverheadBytes
      const frameBytes = isHeadHere ? parseHead(beginning).length : heldBytesMin
      const grown = new Uint8Array(Math.max(length, Math.min(frameBytes, heldGrowth * length)))
      grown.set(this.#held.subarray(0, this.#heldBytes))
      this.#held = grown
    }
    this.#held.set(bytes, this.#heldBytes)
    this.#heldBytes = length
  }
}
