/** Primitives that let hostile bytes through, to see what is behind them. @module */

import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { fromUtf8 } from '../../src/base/util/bytes.ts'

/** As `real`, but every signature and every seal passes, so that what is behind them meets hostile bytes
 *  tens of thousands of times and not as often as there is time for signatures (0.1 ms) and X-Wing (0.15 ms). */
export function permissivePlatform(real: CryptoPlatform): CryptoPlatform {
  const sealPk = real.kem.publicKey(new Uint8Array(32))
  return {
    ...real,
    hmacSha256: () => new Uint8Array(32),
    ed25519: { ...real.ed25519, verify: () => true },
    kem: { ...real.kem, publicKey: () => sealPk, decapsulate: () => new Uint8Array(32) },
    chacha20poly1305: {
      ...real.chacha20poly1305,
      open: (_key, _nonce, _aad, sealed) => sealed.slice(0, Math.max(0, sealed.length - 16)),
    },
    argon2id: async () => new Uint8Array(32),
    scrypt: async () => new Uint8Array(32),
  }
}

const latin1 = new TextDecoder('latin1')

/** The text that the bytes hold, whatever they are. */
export function hostileText(input: Uint8Array): string {
  return fromUtf8(input) ?? latin1.decode(input)
}
