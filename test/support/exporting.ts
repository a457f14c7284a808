/** Exports of accounts in memory, as they are and as somebody would have them who lies. @module */

import { labels } from '../../src/base/crypto/labels.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { signStatement } from '../../src/base/crypto/signature.ts'
import { concatBytes, equalBytes } from '../../src/base/util/bytes.ts'
import { decode, encode, type WireValue } from '../../src/base/wire/codec.ts'
import type { CopiedItem } from '../../src/base/wire/copied-item.ts'
import {
  decodeExportItems,
  encodeExportFrame,
  encodeExportItems,
  encodeExportMagic,
  exportedBytes,
  exportFrame,
  exportFrames,
  exportManifestShape,
  type ExportManifest,
} from '../../src/base/wire/export.ts'
import { judgeExport } from '../../src/user/account/export-reader.ts'
import type { JudgedExport } from '../../src/user/account/export-judge.ts'
import { befriended, inboxOf, World, type Household } from './household.ts'

/** In chunks that fit nothing. */
export async function* inChunks(bytes: Uint8Array, size = 5000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function gathered(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return concatBytes(...parts)
}

/** What is inside the seal of a household's export. */
export async function plainExport(
  world: World,
  { node, member }: Pick<Household, 'node' | 'member'>,
): Promise<Uint8Array> {
  return gathered(member.exported({ carriage: world.carriage(node) }))
}

/** A life with a contact, messages both ways, a link, mail that waits and a letter that has not left. */
export async function lived(
  world: World = new World(),
): Promise<{ world: World; alice: Household; bob: Household }> {
  world.network.hasDirectory = true
  const { alice, bob } = await befriended(world)
  await bob.member.messages.send({ to: 'alice', text: 'read' })
  await world.settle()
  await inboxOf(alice)
  await alice.member.messages.send({ to: 'bob', text: 'arrived' })
  await world.settle()
  await alice.member.contacts.link()
  bob.node.isOnline = false
  await alice.member.messages.send({ to: 'bob', text: 'under way' })
  await world.settle()
  return { world, alice, bob }
}

export async function judged(platform: CryptoPlatform, plain: Uint8Array): Promise<JudgedExport> {
  const signal = new AbortController().signal
  return judgeExport({ platform }, () => inChunks(plain), { found: () => undefined, signal })
}

/** The parts of an export. */
export interface Parts {
  readonly manifest: ExportManifest
  readonly items: readonly CopiedItem[]
}

export async function partsOf(plain: Uint8Array): Promise<Parts> {
  let manifest: ExportManifest | undefined
  const items: CopiedItem[] = []
  for await (const { type, payload } of exportFrames(inChunks(plain))) {
    if (type === exportFrame.manifest) manifest = exportManifestShape(decode(payload), 'manifest')
    if (type === exportFrame.items) items.push(...decodeExportItems(payload))
  }
  if (!manifest) throw new Error('no manifest')
  return { manifest, items }
}

/** The end of an export of these frames, signed. */
function endOf(
  platform: CryptoPlatform,
  frames: readonly Uint8Array[],
  { items, seed }: { items: readonly CopiedItem[]; seed: Uint8Array },
): Uint8Array {
  let hash = platform.sha256(encodeExportMagic())
  for (const frame of frames) hash = platform.sha256(hash, frame)
  const bytes = items.reduce((sum, item) => sum + exportedBytes(item), 0)
  const end = encode({ items: items.length, bytes, hash })
  return encodeExportFrame(exportFrame.end, signStatement(platform, labels.exportEnd, seed, end))
}

/** An export of these parts, with all sums and the signature as they should be: what a forger makes who holds the keys.
 *  @param manifest any value, in the place of the manifest */
export function forged(
  platform: CryptoPlatform,
  { manifest, items }: Parts,
  written: unknown = manifest,
): Uint8Array {
  const frames = [encodeExportFrame(exportFrame.manifest, encode(written as WireValue))]
  for (let at = 0; at < items.length; at += 100) {
    const page = items.slice(at, at + 100)
    frames.push(encodeExportFrame(exportFrame.items, encodeExportItems(page)))
  }
  const end = endOf(platform, frames, { items, seed: manifest.device.signSeed })
  return concatBytes(encodeExportMagic(), ...frames, end)
}

/** Those of `items` that are not among `others`, as bytes. */
export function missing(items: readonly CopiedItem[], others: readonly CopiedItem[]): CopiedItem[] {
  const isThere = (item: CopiedItem): boolean =>
    others.some(
      ({ kind, signed, body }) =>
        kind === item.kind && equalBytes(signed, item.signed) && equalBytes(body, item.body),
    )
  return items.filter((item) => !isThere(item))
}
