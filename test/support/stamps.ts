/** Stamps found on the spot, for tests. @module */

import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { isStamp, searchStamp, type StampOrder } from '../../src/base/crypto/stamp.ts'

/** The stamp with the lowest number. */
export function stampFor(platform: Pick<CryptoPlatform, 'sha256'>, order: StampOrder): Uint8Array {
  for (let from = 0; from < 2 ** 24; from += 2 ** 16) {
    const stamp = searchStamp(platform, { ...order, from, tries: 2 ** 16 })
    if (stamp) return stamp
  }
  throw new Error('no stamp among the first 16 million numbers')
}

/** A stamp that is none: where little is asked, one at random would be one now and then. */
export function falseStampFor(
  platform: Pick<CryptoPlatform, 'sha256'>,
  order: StampOrder,
): Uint8Array {
  const stamp = new Uint8Array(8)
  while (isStamp(platform, order, stamp)) stamp[7] = (stamp[7] as number) + 1
  return stamp
}
