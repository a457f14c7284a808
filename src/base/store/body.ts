import { isAbzuError } from '../util/errors.ts'
import type { StoredHead } from './head.ts'
import { bodyChecksum } from './row.ts'
import type { BodyPlace, Segments } from './segments.ts'

/** Of one read for several bodies, what lies between them included. */
const runBytesMax = 512 * 1024
/** Bytes between two bodies that are read for the sake of both: the heads of a record or so. */
const gapBytesMax = 32 * 1024

/** The body of an item; undefined where it is not there, or not what was written.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED where its segment cannot be read */
export async function readBody(
  segments: Pick<Segments, 'read'>,
  head: StoredHead,
): Promise<Uint8Array | undefined> {
  const { place, sizeBytes } = head
  return place && intact(head, await segments.read(place, sizeBytes))
}

/** The same of many, by head: bodies that lie near each other are read at once, and share memory. What cannot be
 *  read, or is near to that, is left out. */
export async function readBodies(
  segments: Pick<Segments, 'read'>,
  heads: readonly StoredHead[],
): Promise<Map<StoredHead, Uint8Array>> {
  const bodies = new Map<StoredHead, Uint8Array>()
  const reads = Array.from(runs(heads), async ({ from, bytes, placed }) => {
    const all = await unlessDamaged(segments.read(from, bytes))
    for (const { head, place } of all ? placed : []) {
      const at = place.offset - from.offset
      const body = intact(head, all?.subarray(at, at + head.sizeBytes))
      if (body) bodies.set(head, body)
    }
  })
  await Promise.all(reads)
  return bodies
}

async function unlessDamaged<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isAbzuError(error, 'ABZU_STORE_DAMAGED')) return undefined
    throw error
  }
}

function intact(head: StoredHead, body: Uint8Array | undefined): Uint8Array | undefined {
  return body && bodyChecksum(head.id, body) === head.bodyChecksum ? body : undefined
}

interface Placed {
  readonly head: StoredHead
  readonly place: BodyPlace
}

interface Run {
  readonly from: BodyPlace
  readonly placed: Placed[]
  bytes: number
}

/** Bodies in the order in which they lie, in as few runs as their distances allow. */
function* runs(heads: readonly StoredHead[]): Iterable<Run> {
  const placed = heads.flatMap((head) => (head.place ? [{ head, place: head.place }] : []))
  placed.sort((a, b) => a.place.segment - b.place.segment || a.place.offset - b.place.offset)
  let run: Run | undefined
  for (const one of placed) {
    const { segment, offset } = one.place
    const bytes = run ? offset + one.head.sizeBytes - run.from.offset : 0
    const isNear =
      run?.from.segment === segment &&
      offset - (run.from.offset + run.bytes) <= gapBytesMax &&
      bytes <= runBytesMax
    if (run && isNear) {
      run.bytes = Math.max(run.bytes, bytes)
      run.placed.push(one)
      continue
    }
    if (run) yield run
    run = { from: one.place, placed: [one], bytes: one.head.sizeBytes }
  }
  if (run) yield run
}
