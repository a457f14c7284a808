/** An account on its way into a file: everything that another node needs to be its home. @see docs/protocol.md#export @module */

import { signStatement } from '../../base/crypto/signature.ts'
import { labels } from '../../base/crypto/labels.ts'
import { encode } from '../../base/wire/codec.ts'
import type { CopiedItem } from '../../base/wire/copied-item.ts'
import {
  encodeExportFrame,
  encodeExportItems,
  encodeExportMagic,
  exportedBytes,
  exportEndShape,
  exportFrame,
  exportLimits,
  exportManifestShape,
} from '../../base/wire/export.ts'
import type { Account } from './account.ts'
import type { CarriagePort } from './ports.ts'

export interface ExportDeps {
  readonly carriage: Pick<CarriagePort, 'extent' | 'copies'>
}

/** Items of one frame; a single one has up to 256 KiB. */
const frameBytes = 128 * 1024

/** The plain bytes of an export, to be sealed before they go anywhere; held is no more than a frame. What is written
 *  meanwhile may be in it or not.
 *  @throws {AbzuError} ABZU_LOCKED where the account is locked meanwhile, ABZU_STORE_DAMAGED, those of the store */
export async function* exportedAccount(
  deps: ExportDeps,
  account: Account,
): AsyncGenerator<Uint8Array> {
  const { carriage } = deps
  const { platform, clock, rootPk, name, recoveryPk, mailbox, gate } = account
  const device = account.carriedDevice()
  let hash = platform.sha256(encodeExportMagic())
  const framed = (type: (typeof exportFrame)[keyof typeof exportFrame], payload: Uint8Array) => {
    const frame = encodeExportFrame(type, payload)
    hash = platform.sha256(hash, frame)
    return frame
  }
  try {
    yield encodeExportMagic()
    const { signSeed, sealSeed, certificate } = device
    const manifest = exportManifestShape(
      {
        account: rootPk,
        name,
        madeAtMs: Math.floor(clock.nowMs()),
        device: { signSeed, sealSeed, certificate },
        recoveryPk,
        ...carriage.extent(mailbox),
      },
      'manifest',
    )
    yield framed(exportFrame.manifest, encode(manifest))
    let items = 0
    let bytes = 0
    for await (const page of inFrames(carriage.copies(mailbox))) {
      gate.check()
      items += page.length
      bytes += page.reduce((sum, item) => sum + exportedBytes(item), 0)
      yield framed(exportFrame.items, encodeExportItems(page))
    }
    const end = encode(exportEndShape({ items, bytes, hash }, 'end'))
    yield encodeExportFrame(
      exportFrame.end,
      signStatement(platform, labels.exportEnd, device.signSeed, end),
    )
  } finally {
    device.wipe()
  }
}

async function* inFrames(
  pages: AsyncIterable<readonly CopiedItem[]>,
): AsyncGenerator<CopiedItem[]> {
  let frame: CopiedItem[] = []
  let bytes = 0
  for await (const page of pages) {
    for (const item of page) {
      const isFull = bytes >= frameBytes || frame.length >= exportLimits.frameItemsMax
      if (isFull) {
        yield frame
        frame = []
        bytes = 0
      }
      frame.push(item)
      bytes += exportedBytes(item)
    }
  }
  if (frame.length > 0) yield frame
}
