/**
 * Frames of a long-lived stream: `length[4, u32be] | type[1] | payload`; the length counts the type
 * and the payload.
 * @see docs/protocol.md#frames
 * @module
 */

import { concatBytes, readU32be, u32be } from '../util/bytes.ts'
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
export const frameOverheadBytes = 5
const frameTypes = new Set<number>(Object.values(frameType))

/** @throws {AbzuError} ABZU_TOO_LARGE */
export function encodeFrame(type: FrameType, payload: Uint8Array): Uint8Array {
  if (payload.length > wireLimits.frameBytesMax) {
    throw new AbzuError('ABZU_TOO_LARGE', `a frame of ${payload.length} bytes`)
  }
  return concatBytes(u32be(payload.length + 1), new Uint8Array([type]), payload)
}

/** Cuts a stream of bytes into frames. Holds at most one frame that is not complete. */
export class FrameDecoder {
  #parts: Uint8Array[] = []
  #bytes = 0

  /** Bytes held back because their frame is not complete. */
  get pendingBytes(): number {
    return this.#bytes
  }

  /** The frames that `chunk` completes, in order. Payloads share memory with the chunks.
   *  @throws {AbzuError} ABZU_TOO_LARGE or ABZU_MALFORMED, as soon as a header says so; the decoder is of no
   *  use after that. */
  push(chunk: Uint8Array): Frame[] {
    this.#parts.push(chunk)
    this.#bytes += chunk.length
    const frames: Frame[] = []
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame)
    return frames
  }

  #next(): Frame | undefined {
    if (this.#bytes < frameOverheadBytes) return undefined
    const head = this.#joined(frameOverheadBytes)
    const length = readU32be(head)
    if (length < 1) throw new AbzuError('ABZU_MALFORMED', 'a frame without a type')
    if (length > wireLimits.frameBytesMax + 1) {
      throw new AbzuError('ABZU_TOO_LARGE', `a frame announces ${length} bytes`)
    }
    const type = head[4] as number
    if (!frameTypes.has(type)) throw new AbzuError('ABZU_MALFORMED', `frame type ${type}`)
    if (this.#bytes < 4 + length) return undefined
    const whole = this.#joined(4 + length)
    this.#parts[0] = whole.subarray(4 + length)
    this.#bytes -= 4 + length
    return { type: type as FrameType, payload: whole.subarray(frameOverheadBytes, 4 + length) }
  }

  /** The first part, made at least `length` bytes long. */
  #joined(length: number): Uint8Array {
    const first = this.#parts[0] as Uint8Array
    if (first.length >= length) return first
    let size = 0
    let count = 0
    while (size < length) size += (this.#parts[count++] as Uint8Array).length
    const joined = concatBytes(...this.#parts.splice(0, count))
    this.#parts.unshift(joined)
    return joined
  }
}
