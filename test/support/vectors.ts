/** Reads test/vectors: published vectors of standards and golden bytes of our own layouts. @module */

import { readFileSync } from 'node:fs'
import { fromHex } from '../../src/base/util/bytes.ts'

/** The JSON file `name` (`published/ed25519-rfc8032`, `golden/crypto/envelope`). */
export function readVectors<T>(name: string): T {
  const file = new URL(`../vectors/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as T
}

/** The bytes of a vector's hexadecimal field. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (!bytes) throw new Error(`not hexadecimal: ${text.slice(0, 80)}`)
  return bytes
}
