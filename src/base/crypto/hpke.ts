/**
 * HPKE base mode (RFC 9180) of the suite X-Wing / HKDF-SHA256 / ChaCha20Poly1305, over the primitives
 * of a platform. The two-step forms are for plaintexts that must know the encapsulation.
 * @see docs/protocol.md#envelope
 * @module
 */

import { CipherSuite, type AEAD, type KDF, type KEM, type Key } from 'hpke'
import { concatBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import type { CryptoPlatform } from './platform.ts'
import { xwing } from './xwing.ts'

export type HpkePlatform = Pick<CryptoPlatform, 'hmacSha256' | 'kem' | 'chacha20poly1305'>

export interface Sealer {
  /** The encapsulation, 1120 bytes, which the recipient needs besides the ciphertext. */
  readonly enc: Uint8Array
  /** Ciphertext and tag. For one message. */
  seal(aad: Uint8Array, plain: Uint8Array): Promise<Uint8Array>
}

interface RawKey extends Key {
  readonly raw: Uint8Array
}

function rawKey(type: 'public' | 'private', raw: Uint8Array): RawKey {
  return { algorithm: { name: 'X-Wing' }, extractable: true, type, raw }
}

function unused(): never {
  throw new Error('HPKE keys come from the platform')
}

function kemOf({ kem }: HpkePlatform): KEM<RawKey> {
  return {
    type: 'KEM',
    id: 0x647a,
    name: 'X-Wing',
    Nsecret: 32,
    Nenc: xwing.encBytes,
    Npk: xwing.publicKeyBytes,
    Nsk: xwing.seedBytes,
    async Encap({ raw }) {
      const { shared, enc } = kem.encapsulate(raw)
      return { shared_secret: shared, enc }
    },
    Decap: async (enc, { raw }) => kem.decapsulate(raw, enc),
    DeriveKeyPair: unused,
    GenerateKeyPair: unused,
    SerializePublicKey: unused,
    DeserializePublicKey: unused,
    SerializePrivateKey: unused,
    DeserializePrivateKey: unused,
  }
}

function kdfOf({ hmacSha256 }: HpkePlatform): KDF {
  return {
    type: 'KDF',
    id: 0x0001,
    name: 'HKDF-SHA256',
    Nh: 32,
    stages: 2,
    Extract: async (salt, ikm) => hmacSha256(salt, ikm),
    async Expand(prk, info, length) {
      let block: Uint8Array = new Uint8Array()
      let output: Uint8Array = new Uint8Array()
      for (let counter = 1; output.length < length; counter++) {
        block = hmacSha256(prk, block, info, new Uint8Array([counter]))
        output = concatBytes(output, block)
      }
      return output.slice(0, length)
    },
    Derive: unused,
  }
}

function aeadOf({ chacha20poly1305 }: HpkePlatform): AEAD {
  return {
    type: 'AEAD',
    id: 0x0003,
    name: 'ChaCha20Poly1305',
    Nk: 32,
    Nn: 12,
    Nt: 16,
    Seal: async (key, nonce, aad, plain) => chacha20poly1305.seal(key, nonce, aad, plain),
    async Open(key, nonce, aad, sealed) {
      const plain = chacha20poly1305.open(key, nonce, aad, sealed)
      if (!plain) throw broken()
      return plain
    },
  }
}

function suiteOf(platform: HpkePlatform): CipherSuite<RawKey> {
  return new CipherSuite(
    () => kemOf(platform),
    () => kdfOf(platform),
    () => aeadOf(platform),
  )
}

function broken(): AbzuError {
  return new AbzuError('ABZU_SEAL_BROKEN', 'a seal that is broken')
}

/** The error of ours under the ones that the library puts around it. */
function underneath(error: unknown): unknown {
  if (error instanceof AbzuError || !(error instanceof Error)) return error
  return error.cause instanceof AbzuError ? error.cause : error
}

/** Encapsulates to `publicKey`; the plaintext follows.
 *  @throws {AbzuError} ABZU_MALFORMED where `publicKey` is none */
export async function startSeal(
  platform: HpkePlatform,
  publicKey: Uint8Array,
  info: Uint8Array,
): Promise<Sealer> {
  try {
    const suite = suiteOf(platform)
    const { encapsulatedSecret, ctx } = await suite.SetupSender(rawKey('public', publicKey), {
      info,
    })
    return { enc: encapsulatedSecret, seal: (aad, plain) => ctx.Seal(plain, aad) }
  } catch (error) {
    throw underneath(error)
  }
}

/** Opens what was sealed with the key of `seed`.
 *  @throws {AbzuError} ABZU_SEAL_BROKEN whatever does not fit */
export async function openSealed(
  platform: HpkePlatform,
  {
    seed,
    info,
    aad,
    enc,
    sealed,
  }: {
    readonly seed: Uint8Array
    readonly info: Uint8Array
    readonly aad: Uint8Array
    readonly enc: Uint8Array
    readonly sealed: Uint8Array
  },
): Promise<Uint8Array> {
  if (enc.length !== xwing.encBytes) throw broken()
  try {
    const recipient = await suiteOf(platform).SetupRecipient(rawKey('private', seed), enc, { info })
    return await recipient.Open(sealed, aad)
  } catch (error) {
    const cause = underneath(error)
    throw cause instanceof AbzuError ? broken() : cause
  }
}

/** Seals one message to `publicKey`.
 *  @throws {AbzuError} ABZU_MALFORMED where `publicKey` is none */
export async function sealTo(
  platform: HpkePlatform,
  {
    publicKey,
    info,
    aad,
    plain,
  }: {
    readonly publicKey: Uint8Array
    readonly info: Uint8Array
    readonly aad: Uint8Array
    readonly plain: Uint8Array
  },
): Promise<{ readonly enc: Uint8Array; readonly sealed: Uint8Array }> {
  const sealer = await startSeal(platform, publicKey, info)
  return { enc: sealer.enc, sealed: await sealer.seal(aad, plain) }
}
