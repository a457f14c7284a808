import { compareBytes, concatBytes } from '../util/bytes.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

const groups = 12
const groupBytes = 5

/** 60 digits in 12 groups of 5, which two people compare to know that nobody stands between them: the
 *  same for both, and another for any other pair of root keys. */
export function safetyNumber(
  platform: Pick<CryptoPlatform, 'sha256'>,
  rootA: Uint8Array,
  rootB: Uint8Array,
): string {
  const roots = [rootA, rootB].sort(compareBytes)
  const hashes = [0, 1].map((part) =>
    platform.sha256(labels.safetyNumber, new Uint8Array([part]), ...roots),
  )
  const bytes = concatBytes(...hashes)
  const texts = Array.from({ length: groups }, (_, group) => {
    const number = bytes
      .subarray(group * groupBytes, (group + 1) * groupBytes)
      .reduce((value, byte) => value * 256 + byte, 0)
    return String(number % 100_000).padStart(5, '0')
  })
  return texts.join(' ')
}
