/** What a node's directory has on disk, read without the directory. @module */

import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { Store } from '../../../src/base/store/store.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { systemClock } from '../../../src/base/util/system-time.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import {
  bytesBetween,
  decodeShape,
  literal,
  record,
  text,
  uint,
} from '../../../src/base/wire/shape.ts'
import { defaultDirectoryLimits } from '../../../src/machine/node/directory-limits.ts'
import { HeldRecords } from '../../../src/machine/node/held-records.ts'

export interface HeldRow {
  readonly mailbox: Uint8Array
  readonly from: string
  readonly signed: Uint8Array
}

const rowShape = record({
  v: literal(1),
  from: text(64),
  untilHours: uint(2 ** 32 - 1),
  signed: bytesBetween(1, 2 ** 20),
})

/** Every record that is held. */
export async function heldRows(store: Store): Promise<HeldRow[]> {
  const rows: HeldRow[] = []
  for await (const { key, value } of store.table('records').range({ limit: 100_000 })) {
    rows.push({ mailbox: key, ...decodeShape(rowShape, value, 'held record') })
  }
  return rows
}

/** Has a node hold records as if a peer had offered them over many days. */
export async function holdBefore(
  store: Store,
  records: readonly Uint8Array[],
  from: PeerId,
): Promise<void> {
  const patient = { perSecond: 1e6, burst: 1e6 }
  const held = await HeldRecords.open({
    platform: nodePlatform(),
    table: store.table('records'),
    hosted: { record: async () => undefined },
    isNear: async () => true,
    limits: { ...defaultDirectoryLimits, peerPuts: patient, nodePuts: patient },
    clock: systemClock,
    log: silentLog,
  })
  await Promise.all(records.map(async (signed) => held.put(signed, from)))
}
