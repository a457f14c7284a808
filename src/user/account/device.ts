import { openDeviceCertificate, signDeviceCertificate } from '../../base/crypto/certificate.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { concatBytes } from '../../base/util/bytes.ts'
import { assert } from '../../base/util/errors.ts'

/** Everything. */
const allCaps = 1
const seedBytes = 32

/** The place where an account lives: a random key pair to sign with and one to be sealed to. */
export interface Device {
  /** 32 bytes: Ed25519. */
  readonly signSeed: Uint8Array
  /** 32 bytes: X-Wing. */
  readonly sealSeed: Uint8Array
  readonly signPk: Uint8Array
  /** By the account's root. */
  readonly certificate: Uint8Array
}

/** A device while its account is unlocked. */
export class HeldDevice implements Device {
  readonly signPk: Uint8Array
  readonly certificate: Uint8Array
  #signSeed: Uint8Array
  #sealSeed: Uint8Array

  constructor({ signSeed, sealSeed, signPk, certificate }: Device) {
    this.#signSeed = signSeed
    this.#sealSeed = sealSeed
    this.signPk = signPk
    this.certificate = certificate
  }

  get signSeed(): Uint8Array {
    return this.#signSeed
  }

  get sealSeed(): Uint8Array {
    return this.#sealSeed
  }

  /** Overwrites the seeds and lets go of their arrays, and so of what a platform derived from them. */
  wipe(): void {
    this.#signSeed.fill(0)
    this.#sealSeed.fill(0)
    this.#signSeed = new Uint8Array()
    this.#sealSeed = new Uint8Array()
  }
}

/** The same device, with seeds that are wiped apart. */
export function copyOf({ signSeed, sealSeed, signPk, certificate }: Device): HeldDevice {
  const [sign, seal] = [Uint8Array.from(signSeed), Uint8Array.from(sealSeed)]
  return new HeldDevice({ signSeed: sign, sealSeed: seal, signPk, certificate })
}

/** A fresh device of the account, certified by its root key. */
export function newDevice(
  platform: Pick<CryptoPlatform, 'random' | 'sha256' | 'ed25519' | 'kem'>,
  { rootSeed, docSeq }: { rootSeed: Uint8Array; docSeq: number },
): HeldDevice {
  const keys = { signSeed: platform.random(seedBytes), sealSeed: platform.random(seedBytes) }
  return certified(platform, keys, { rootSeed, docSeq })
}

/** The same device, with a certificate that goes with another identity document. The two have their seeds in
 *  common: who wipes one wipes both. */
export function certified(
  platform: Pick<CryptoPlatform, 'sha256' | 'ed25519' | 'kem'>,
  { signSeed, sealSeed }: Pick<Device, 'signSeed' | 'sealSeed'>,
  { rootSeed, docSeq }: { rootSeed: Uint8Array; docSeq: number },
): HeldDevice {
  const signPk = platform.ed25519.publicKey(signSeed)
  const certificate = signDeviceCertificate(platform, rootSeed, {
    v: 1,
    account: platform.ed25519.publicKey(rootSeed),
    signPk,
    sealPkHash: platform.sha256(platform.kem.publicKey(sealSeed)),
    caps: allCaps,
    docSeq,
  })
  return new HeldDevice({ signSeed, sealSeed, signPk, certificate })
}

/** What a password wraps, 64 bytes. */
export function deviceSecret({ signSeed, sealSeed }: Device): Uint8Array {
  return concatBytes(signSeed, sealSeed)
}

/** The device of a secret and its certificate.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function deviceOf(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  init: { secret: Uint8Array; certificate: Uint8Array; rootPk: Uint8Array },
): HeldDevice {
  const { secret, certificate, rootPk } = init
  assert(secret.length === 2 * seedBytes, 'a device secret has 64 bytes')
  const { signPk } = openDeviceCertificate(platform, certificate, rootPk)
  return new HeldDevice({
    signSeed: concatBytes(secret.subarray(0, seedBytes)),
    sealSeed: concatBytes(secret.subarray(seedBytes)),
    signPk,
    certificate,
  })
}
