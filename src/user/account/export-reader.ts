/** An export as it is read: once to judge it, and again to take it in. @see docs/protocol.md#export @module */

import {
  decodeExportItems,
  exportFrame,
  exportFrames,
  type ExportManifest,
} from '../../base/wire/export.ts'
import type { CopiedItem } from '../../base/wire/copied-item.ts'
import { ExportJudge, type JudgeDeps, type JudgedExport } from './export-judge.ts'

/** The plain bytes of one export, from the start each time. */
export type ExportSource = () => AsyncIterable<Uint8Array>

/** Reads an export to its end, and keeps nothing but what it was.
 *  @param init.found is told the manifest before the rest is read, and may throw
 *  @throws {AbzuError} ABZU_EXPORT_INVALID, ABZU_EXPORT_NEWER, those of `source` and `found`; the signal's reason */
export async function judgeExport(
  deps: JudgeDeps,
  source: ExportSource,
  init: {
    readonly found: (manifest: ExportManifest) => void
    readonly signal: AbortSignal
  },
): Promise<JudgedExport> {
  const judge = new ExportJudge(deps)
  for await (const frame of exportFrames(source())) {
    init.signal.throwIfAborted()
    const manifest = await judge.frame(frame)
    if (manifest) init.found(manifest)
  }
  return judge.whole()
}

/** The items of an export that was judged before, in the order of the file.
 *  @throws {AbzuError} ABZU_EXPORT_INVALID, those of `source` */
export async function* exportedItems(source: ExportSource): AsyncGenerator<CopiedItem[]> {
  for await (const { type, payload } of exportFrames(source())) {
    if (type === exportFrame.items) yield decodeExportItems(payload)
  }
}
