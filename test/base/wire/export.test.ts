/** The bytes of an export: a changed layout needs a new version. */

import t from 'tap'
import { concatBytes, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { decode, encode } from '../../../src/base/wire/codec.ts'
import {
  decodeExportItems,
  encodeExportFrame,
  encodeExportItems,
  encodeExportMagic,
  exportEndShape,
  exportFrame,
  exportFrames,
  exportLimits,
  exportManifestShape,
  type ExportFrame,
} from '../../../src/base/wire/export.ts'
import { hex, readVectors } from '../../support/vectors.ts'

const golden = readVectors<Record<'magic' | 'manifest' | 'items' | 'end', string>>('golden/export')

function counting(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, n) => from + n)
}

const manifest = {
  account: counting(32),
  name: 'Änne',
  madeAtMs: 2 ** 41,
  device: { signSeed: counting(32, 1), sealSeed: counting(32, 2), certificate: counting(180, 3) },
  recoveryPk: counting(1216),
  items: 3,
  bytes: 2 ** 33 - 2 ** 32 - 2 ** 31,
}
const items = [
  { kind: 'slot', expiresAtHours: 0, pool: 0, signed: counting(190), body: counting(5) },
  { kind: 'mail', expiresAtHours: 490_720, pool: 1, signed: counting(0), body: counting(40) },
  { kind: 'chunk', expiresAtHours: 0, pool: 0, signed: counting(0), body: counting(9) },
] as const
const end = { items: 3, bytes: 244, hash: counting(32, 7) }

async function frames(bytes: Uint8Array, size = 7): Promise<ExportFrame[]> {
  const all: ExportFrame[] = []
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  for await (const frame of exportFrames(chunks())) all.push(frame)
  return all
}

t.test('every part has its bytes', async (t) => {
  const parts = {
    magic: encodeExportMagic(),
    manifest: encodeExportFrame(
      exportFrame.manifest,
      encode(exportManifestShape(manifest, 'manifest')),
    ),
    items: encodeExportFrame(exportFrame.items, encodeExportItems(items)),
    end: encodeExportFrame(exportFrame.end, encode(exportEndShape(end, 'end'))),
  }
  for (const [name, bytes] of Object.entries(parts)) {
    t.equal(toHex(bytes), golden[name as keyof typeof golden], name)
  }
})

t.test('and is read from them, in chunks of any size', async (t) => {
  const whole = hex(golden.magic + golden.manifest + golden.items + golden.end)
  for (const size of [1, 2, 13, 14, 15, 1000, whole.length]) {
    const [first, second, third, ...others] = await frames(whole, size)
    t.same(exportManifestShape(decode(first!.payload), 'manifest'), manifest)
    t.same(decodeExportItems(second!.payload), items)
    t.same(exportEndShape(decode(third!.payload), 'end'), end)
    t.same(others, [])
  }
})

t.test('what is no frame', async (t) => {
  const magic = encodeExportMagic()
  const invalid = { code: 'ABZU_EXPORT_INVALID' }
  const head = (length: number, type: number): Uint8Array =>
    Uint8Array.from([length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255, type])
  const hostile = [
    head(0, 1),
    head(exportLimits.frameBytesMax + 2, 1),
    head(2 ** 31, 1),
    head(1, 0),
    head(1, 4),
    head(10, 1),
    counting(3),
  ]
  for (const bytes of hostile) await t.rejects(frames(concatBytes(magic, bytes)), invalid)
  for (const text of ['', 'abzu-export', 'abzu-export/1', 'ABZU-EXPORT/1\n', 'abzu-export/1 \n']) {
    await t.rejects(frames(utf8(text)), invalid, JSON.stringify(text))
  }
  await t.rejects(frames(utf8('abzu-export/2\n')), { code: 'ABZU_EXPORT_NEWER' })
  t.same(await frames(magic), [], 'no frame is no fault of a frame')
})
