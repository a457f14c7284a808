/**
 * An account in a file, inside its seal: `abzu-export/1`, a line end, and frames `length[4] | type[1] | payload`, the
 * length counting type and payload: one manifest, the items, and the end, by which all before it is signed.
 * @see docs/protocol.md#export
 * @module
 */

import { concatBytes, readU32be, u32be, utf8 } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { encode } from './codec.ts'
import { copiedItemShape, fromWireItem, toWireItem, type CopiedItem } from './copied-item.ts'
import { wireLimits } from './limits.ts'
import { sealKeyBytes } from './records.ts'
import { bytes, bytesBetween, decodeShape, list, record, text, uint, type Shaped } from './shape.ts'

/** Bounds of a file that may come from anybody; `docs/limits.md` says why. */
export const exportLimits = {
  /** The outer header: who can open the file, and how. */
  headerBytesMax: 16 * 1024,
  /** The cost of a password, as a power of two. */
  scryptWorkFactorMax: 18,
  /** Payload of one frame. */
  frameBytesMax: 512 * 1024,
  /** Items in one frame: each is six values, of a byte string counted twice. */
  frameItemsMax: 400,
  /** Items of one account. */
  accountItemsMax: 1_200_000,
  /** Their bytes, slot headers included. */
  accountBytesMax: 3 * 1024 ** 3,
  /** The file. */
  fileBytesMax: 4 * 1024 ** 3,
} as const

/** The version that is written, and the newest that is read. */
const exportVersion = 1
const magic = 'abzu-export/'
/** Of any version: no number has more digits. */
const magicBytesMax = magic.length + 6
const headBytes = 5

export const exportFrame = { manifest: 1, items: 2, end: 3 } as const
export type ExportFrameType = (typeof exportFrame)[keyof typeof exportFrame]
const frameTypes = new Set<number>(Object.values(exportFrame))

/** Whose account it is, and the keys of the device that it lives on. */
export const exportManifestShape = record({
  /** Root public key. */
  account: bytes(32),
  /** What the account is called where it was exported. */
  name: text(wireLimits.nameBytesMax),
  /** Wall clock, ms since 1970. */
  madeAtMs: uint(),
  device: record({
    /** Ed25519. */
    signSeed: bytes(32),
    /** X-Wing. */
    sealSeed: bytes(32),
    /** Signed, by the root. */
    certificate: bytesBetween(64, 512),
  }),
  /** X-Wing public key of the words. */
  recoveryPk: bytes(sealKeyBytes),
  /** About what follows, for whoever shows how far it is. */
  items: uint(exportLimits.accountItemsMax),
  bytes: uint(exportLimits.accountBytesMax),
})
export type ExportManifest = Shaped<typeof exportManifestShape>

/** What the device signs in the end. */
export const exportEndShape = record({
  items: uint(exportLimits.accountItemsMax),
  bytes: uint(exportLimits.accountBytesMax),
  /** Chain over everything before: `SHA-256(hash before | frame)`, that of the first line first. */
  hash: bytes(32),
})

const itemsShape = list(copiedItemShape, exportLimits.frameItemsMax)

/** The first line of a file, 14 bytes. */
export function encodeExportMagic(): Uint8Array {
  return utf8(`${magic}${exportVersion}\n`)
}

/** One frame. The caller keeps the payload within its bound. */
export function encodeExportFrame(type: ExportFrameType, payload: Uint8Array): Uint8Array {
  return concatBytes(u32be(payload.length + 1), new Uint8Array([type]), payload)
}

export function encodeExportItems(items: readonly CopiedItem[]): Uint8Array {
  return encode(items.map(toWireItem))
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeExportItems(payload: Uint8Array): CopiedItem[] {
  return decodeShape(itemsShape, payload, 'items').map(fromWireItem)
}

/** What counts as an item's bytes. */
export function exportedBytes({ signed, body }: CopiedItem): number {
  return signed.length + body.length
}

export interface ExportFrame {
  readonly type: ExportFrameType
  readonly payload: Uint8Array
  /** Head and payload, as it stands in the file. */
  readonly bytes: Uint8Array
}

/** The frames of a file, without a look inside. No more than one frame and one chunk are held.
 *  @throws {AbzuError} ABZU_EXPORT_INVALID, ABZU_EXPORT_NEWER; what `chunks` throws */
export async function* exportFrames(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ExportFrame> {
  let held: Uint8Array = new Uint8Array()
  let isBegun = false
  for await (const chunk of chunks) {
    held = held.length === 0 ? chunk : concatBytes(held, chunk)
    let at = 0
    if (!isBegun) {
      const length = magicLength(held)
      if (length === undefined) continue
      isBegun = true
      at = length
    }
    for (;;) {
      const length = frameLength(held.subarray(at))
      if (length === undefined || length > held.length - at) break
      const bytes = held.slice(at, at + length)
      at += length
      yield { type: bytes[4] as ExportFrameType, payload: bytes.subarray(headBytes), bytes }
    }
    held = held.slice(at)
  }
  if (!isBegun || held.length > 0) throw invalidExport('it is cut off')
}

/** A file that is not what an export is. */
export function invalidExport(why: string, cause?: unknown): AbzuError {
  return new AbzuError('ABZU_EXPORT_INVALID', `not a whole export of an account: ${why}`, { cause })
}

/** Length of the first line; undefined while it is not there. */
function magicLength(held: Uint8Array): number | undefined {
  const end = held.subarray(0, magicBytesMax).indexOf(0x0a)
  if (end < 0 && held.length < magicBytesMax) return undefined
  const line = String.fromCharCode(...held.subarray(0, Math.max(end, 0)))
  const [, version] = /^abzu-export\/([1-9]\d{0,4})$/.exec(line) ?? []
  if (version === undefined) throw invalidExport('what was sealed is something else')
  if (Number(version) > exportVersion) {
    const message = `the export is of format ${version}; this Abzu reads up to ${exportVersion}`
    throw new AbzuError('ABZU_EXPORT_NEWER', message)
  }
  return end + 1
}

/** Length of the frame that `held` begins with; undefined while its head is not there. */
function frameLength(held: Uint8Array): number | undefined {
  if (held.length < headBytes) return undefined
  const announced = readU32be(held)
  if (announced < 1 || announced > exportLimits.frameBytesMax + 1) {
    throw invalidExport(`a frame announces ${announced} bytes`)
  }
  if (!frameTypes.has(held[4] as number)) throw invalidExport(`a frame of type ${held[4]}`)
  return announced + 4
}
