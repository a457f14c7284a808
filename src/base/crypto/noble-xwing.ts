import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js'
import type { Kem } from './platform.ts'
import { refusingMalformed, splitEnc, splitPublicKey } from './xwing.ts'

const encapsulationSeedBytes = 64

/** X-Wing of noble, with the randomness given. */
export function nobleXWing(random: (length: number) => Uint8Array): Kem {
  return {
    publicKey: (seed) => ml_kem768_x25519.keygen(seed).publicKey,
    encapsulate(publicKey) {
      splitPublicKey(publicKey)
      const seed = random(encapsulationSeedBytes)
      const { sharedSecret, cipherText } = refusingMalformed(() =>
        ml_kem768_x25519.encapsulate(publicKey, seed),
      )
      return { shared: sharedSecret, enc: cipherText }
    },
    decapsulate(seed, enc) {
      splitEnc(enc)
      return refusingMalformed(() => ml_kem768_x25519.decapsulate(enc, seed))
    },
  }
}
