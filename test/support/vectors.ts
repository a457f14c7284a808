/** Reads test/vectors: published vectors of standards and golden bytes of our own layouts. @module */

import { readFileSync } from 'node:fs'
import { fromHex } from '../../src/base/util/bytes.ts'

/** The JSON file `name` (`published/ed25519-rfc8032`, `golden/crypto/envelope`).
 *  @throws where it or one of its lists is empty: a test of no vectors proves nothing */
export function readVectors<T>(name: string): T {
  const file = new URL(`../vectors/${name}.json`, import.meta.url)
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as object
  const parts: object[] = [
    vectors,
    ...Object.values(vectors).filter((part) => part instanceof Object),
  ]
  if (parts.some((part) => Object.keys(part).length === 0)) throw new Error(`${name}: no vectors`)
  return vectors as T
}

/** The bytes of a vector's hexadecimal field. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (!bytes) throw new Error(`not hexadecimal: ${text.slice(0, 80)}`)
  return bytes
}
