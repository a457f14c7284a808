/**
 * Fills a small disk with items, to be run in a mount namespace of its own. Says on stdout what it found,
 * as one JSON object.
 *
 * Run with the directory of the mounted disk as its argument.
 * @module
 */

import { appendFileSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { AbzuError } from '../../src/base/util/errors.ts'
import { equalBytes } from '../../src/base/util/bytes.ts'
import type { Store } from '../../src/base/store/store.ts'
import { loadItem } from './store-load.ts'
import { openTestStore } from './store-content.ts'

export interface FullDiskReport {
  readonly acked: number
  /** Codes, in order of the steps. */
  readonly fillError?: string
  readonly freeBytes?: number
  readonly lost?: number
  readonly isSound?: boolean
  readonly appendWhileFull?: string
  readonly removed?: number
  readonly lostAfterRemoval?: number
  readonly appendWithSpace?: string
  readonly openError?: string
}

const itemsPerCall = 4
const disk = process.argv[2] as string
const diskBytes = statfsSync(disk).blocks * statfsSync(disk).bsize
/** As small as LevelDB lets them be. On so small a disk a merge may take in everything there is, and what a
 *  reader still looks at goes away one merge later. */
const limits = {
  writeBufferBytes: 64 * 1024,
  segmentBytesMax: 64 * 1024,
  queueBytesMax: 64 * 1024,
  ballastBytes: Math.floor(diskBytes * 0.7),
}

async function openOrSay(dir: string): Promise<Store | string> {
  return openTestStore({ dir, limits }).catch((error: AbzuError) => error.code)
}

/** Waits until the ballast is on the disk, 30 s at most. */
async function ballastMade(dir: string): Promise<void> {
  for (let turn = 0; turn < 3000; turn++) {
    const file = statSync(join(dir, 'ballast'), { throwIfNoEntry: false })
    if (file?.size === limits.ballastBytes) return
    await pause(10)
  }
  throw new Error('no ballast')
}

/** Appends until an error; returns how many items were acknowledged, and the error's code. */
async function fill(store: Store): Promise<[acked: number, code: string]> {
  for (let acked = 0; ; acked += itemsPerCall) {
    const numbers = Array.from({ length: itemsPerCall }, (_, n) => acked + n)
    try {
      await store.items.append(numbers.map(loadItem))
    } catch (error) {
      return [acked, (error as AbzuError).code]
    }
  }
}

async function countLost(store: Store, from: number, to: number): Promise<number> {
  let lost = 0
  for (let n = from; n < to; n++) {
    const { mailbox, id, body } = loadItem(n)
    const item = await store.items.get(mailbox, id)
    if (!item || !equalBytes(item.body, body)) lost++
  }
  return lost
}

function fillRest(path: string): void {
  for (let piece = 1 << 20; piece > 0;) {
    try {
      appendFileSync(path, new Uint8Array(piece).fill(1))
    } catch {
      piece = Math.floor(piece / 2)
    }
  }
}

async function run(): Promise<FullDiskReport> {
  const dir = join(disk, 'store')
  const filler = join(disk, 'filler')
  const first = await openOrSay(dir)
  if (typeof first === 'string') return { acked: 0, openError: first }
  await ballastMade(dir)
  const [acked, fillError] = await fill(first)
  await first.close()

  fillRest(filler)
  const { bavail } = statfsSync(disk)
  const report = { acked, fillError, freeBytes: bavail }
  const second = await openOrSay(dir)
  if (typeof second === 'string') return { ...report, openError: second }
  const lost = await countLost(second, 0, acked)
  const { isSound } = await second.verify()
  const appendWhileFull = await second.items.append([loadItem(1_000_000)]).then(
    () => 'ok',
    (error: AbzuError) => error.code,
  )
  const removed = Math.floor(acked * 0.9)
  for (let n = 0; n < removed; n += 10) {
    const numbers = Array.from({ length: Math.min(10, removed - n) }, (_, k) => n + k)
    const items = numbers.map(loadItem)
    await second.items.remove(
      (items[0] as (typeof items)[0]).mailbox,
      items.map(({ id }) => id),
    )
  }
  await second.close()

  const third = await openOrSay(dir)
  const soFar = { ...report, lost, isSound, appendWhileFull, removed }
  if (typeof third === 'string') return { ...soFar, openError: third }
  const lostAfterRemoval = await countLost(third, removed, acked)
  await third.close()
  rmSync(filler)
  const last = await openOrSay(dir)
  if (typeof last === 'string') return { ...soFar, openError: last }
  const appendWithSpace = await appendWhenThereIsSpace(last, removed)
  await last.close()
  return { ...soFar, lostAfterRemoval, appendWithSpace }
}

/** One more removal, so that space is reclaimed; then tries to append for 20 s at most. */
async function appendWhenThereIsSpace(store: Store, n: number): Promise<string> {
  const { mailbox, id } = loadItem(n)
  await store.items.remove(mailbox, [id])
  let result = ''
  for (let turn = 0; turn < 200 && result !== 'ok'; turn++) {
    result = await store.items.append([loadItem(1_000_000)]).then(
      () => 'ok',
      (error: AbzuError) => error.code,
    )
    if (result !== 'ok') await pause(100)
  }
  return result
}

writeSync(1, JSON.stringify(await run()))
