/**
 * The file `closed`: there while the store is closed in good order, with a census of its files. Whoever
 * opens the store compares and then removes it, so that a crash leaves none.
 *
 * LevelDB passes over a damaged record of its log, and deletes what a damaged manifest does not name;
 * so this looks before LevelDB does. Tables and segments are compared by size only: reading them all takes
 * long, and the full check finds what is wrong in them.
 * @module
 */

import { createReadStream } from 'node:fs'
import { open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { AbzuError } from '../util/errors.ts'
import { commitFileName } from './commit-file.ts'
import { syncDirectory } from './private-directory.ts'
import { isSegmentFile } from './segment-files.ts'

interface FileFacts {
  readonly name: string
  readonly bytes: number
  /** Of the whole file; missing for tables and segments. */
  readonly checksum?: number
}

const markName = 'closed'
const table = /^\d+\.(ldb|sst)$/
const log = /^\d+\.log$/
const counted = (name: string) =>
  table.test(name) ||
  log.test(name) ||
  isSegmentFile(name) ||
  name.startsWith('MANIFEST-') ||
  name === 'CURRENT' ||
  name === commitFileName

async function checksumOfFile(path: string): Promise<number> {
  let checksum = 0
  for await (const chunk of createReadStream(path)) checksum = crc32(chunk as Buffer, checksum)
  return checksum
}

async function factsOf(dir: string, name: string): Promise<FileFacts | undefined> {
  const path = join(dir, name)
  try {
    const { size } = await stat(path)
    if (table.test(name) || isSegmentFile(name)) return { name, bytes: size }
    return { name, bytes: size, checksum: await checksumOfFile(path) }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function census(dir: string): Promise<FileFacts[]> {
  const names = (await readdir(dir)).filter(counted).toSorted()
  const facts = await Promise.all(names.map(async (name) => factsOf(dir, name)))
  return facts.filter((file) => file !== undefined)
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT'
}

/** Writes the mark, durably, after everything else is closed. */
export async function writeCloseMark(dir: string): Promise<void> {
  const text = JSON.stringify(await census(dir))
  const temporary = join(dir, `${markName}.new`)
  const handle = await open(temporary, 'w', 0o600)
  try {
    await handle.writeFile(`${crc32(text)} ${text}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, join(dir, markName))
  await syncDirectory(dir)
}

export interface CloseMark {
  /** The store was closed in good order. */
  readonly wasClosed: boolean
  /** Files that changed since then, and that LevelDB may all the same be let at. */
  readonly changed: readonly string[]
}

/** Compares the files with the mark and removes it, durably.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED where opening could destroy what is left */
export async function takeCloseMark(dir: string): Promise<CloseMark> {
  const names = await readdir(dir)
  const isUsed = names.some((name) => table.test(name) || name === commitFileName)
  if (isUsed && !names.includes('CURRENT')) {
    throw new AbzuError('ABZU_STORE_DAMAGED', 'CURRENT is missing: LevelDB would start afresh')
  }
  const facts = await readMark(dir)
  if (!facts) return { wasClosed: false, changed: [] }
  const changed = await changedSince(dir, facts)
  const fatal = changed.find(
    (name) => table.test(name) || name === 'CURRENT' || name.startsWith('MANIFEST-'),
  )
  // Where another process has opened the store since, the mark is gone and the comparison says nothing.
  if (fatal !== undefined && (await readMark(dir))) {
    throw new AbzuError('ABZU_STORE_DAMAGED', `${fatal} changed while the store was closed`)
  }
  if (!(await removeMark(dir))) return { wasClosed: false, changed: [] }
  return { wasClosed: true, changed }
}

async function readMark(dir: string): Promise<FileFacts[] | undefined> {
  try {
    const mark = await readFile(join(dir, markName), 'utf8')
    const [checksum, text = ''] = mark.trimEnd().split(/ (.*)/s)
    return checksum === String(crc32(text)) ? (JSON.parse(text) as FileFacts[]) : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function changedSince(dir: string, facts: readonly FileFacts[]): Promise<string[]> {
  const now = new Map((await census(dir)).map((file) => [file.name, file]))
  return facts
    .filter(({ name, bytes, checksum }) => {
      const file = now.get(name)
      return !file || file.bytes !== bytes || file.checksum !== checksum
    })
    .map(({ name }) => name)
}

/** Whether the mark was there to be removed. */
async function removeMark(dir: string): Promise<boolean> {
  try {
    await unlink(join(dir, markName))
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
  await syncDirectory(dir)
  return true
}
