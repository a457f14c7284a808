import { hash } from 'node:crypto'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { concatBytes } from '../../src/base/util/bytes.ts'

type Verify = CryptoPlatform['ed25519']['verify']

const keptMax = 20_000

/** `verify`, asked once about the same bytes: many nodes in one process verify what another one of them has. */
export function verifiedOnce(verify: Verify): Verify {
  const verified = new Map<string, boolean>()
  return (publicKey, message, signature) => {
    const key = hash('sha256', concatBytes(publicKey, signature, message), 'binary')
    const known = verified.get(key)
    if (known !== undefined) return known
    const isValid = verify(publicKey, message, signature)
    if (verified.size >= keptMax) verified.clear()
    verified.set(key, isValid)
    return isValid
  }
}
