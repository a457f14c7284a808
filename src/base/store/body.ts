import type { StoredHead } from './head.ts'
import { bodyChecksum } from './row.ts'
import type { Segments } from './segments.ts'

/** The body of an item; undefined where it is not there, or not what was written.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED where its segment cannot be read */
export async function readBody(
  segments: Pick<Segments, 'read'>,
  { id, place, sizeBytes, bodyChecksum: written }: StoredHead,
): Promise<Uint8Array | undefined> {
  const body = place && (await segments.read(place, sizeBytes))
  return body && bodyChecksum(id, body) === written ? body : undefined
}
