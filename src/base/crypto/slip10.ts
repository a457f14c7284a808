/**
 * SLIP-0010 key derivation for Ed25519, which knows hardened steps only.
 * @see https://github.com/satoshilabs/slips/blob/master/slip-0010.md
 * @module
 */

import { u32be, utf8 } from '../util/bytes.ts'
import type { CryptoPlatform } from './platform.ts'

const hardened = 2 ** 31

export interface Slip10Node {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** 32 bytes. */
  readonly chainCode: Uint8Array
}

/** The node at `path` under `seed` (16 to 64 bytes); each step of the path is taken hardened, so `[44, 0]`
 *  is m/44'/0'. */
export function slip10Node(
  { hmacSha512 }: Pick<CryptoPlatform, 'hmacSha512'>,
  seed: Uint8Array,
  path: readonly number[],
): Slip10Node {
  let node = split(hmacSha512(utf8('ed25519 seed'), seed))
  for (const step of path) {
    const index = u32be(hardened + step)
    node = split(hmacSha512(node.chainCode, new Uint8Array(1), node.key, index))
  }
  return node
}

function split(bytes: Uint8Array): Slip10Node {
  return { key: bytes.slice(0, 32), chainCode: bytes.slice(32) }
}
