/** Made-up people with keys, for tests of everything that is signed or sealed. @module */

import { signDeviceCertificate } from '../../src/base/crypto/certificate.ts'
import { mailboxIdOf } from '../../src/base/crypto/address.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { utf8 } from '../../src/base/util/bytes.ts'
import type { Letter } from '../../src/base/wire/letter.ts'
import { seededIntegers } from './hostile.ts'

export interface TestPerson {
  readonly rootSeed: Uint8Array
  readonly rootPk: Uint8Array
  readonly mailbox: MailboxId
  readonly deviceSeed: Uint8Array
  readonly devicePk: Uint8Array
  readonly sealSeed: Uint8Array
  readonly sealPk: Uint8Array
  readonly prekeySeed: Uint8Array
  readonly prekey: Uint8Array
  /** Signed device certificate. */
  readonly certificate: Uint8Array
}

/** Bytes that follow from a seed, for golden vectors and repeatable tests. */
export function seededRandom(seed: number): (length: number) => Uint8Array {
  const draw = seededIntegers(seed)
  return (length) => Uint8Array.from({ length }, () => draw(256))
}

/** A person whose keys follow from `seed`. */
export function testPerson(platform: CryptoPlatform, seed: number): TestPerson {
  const random = seededRandom(seed)
  const [rootSeed, deviceSeed, sealSeed, prekeySeed] = [
    random(32),
    random(32),
    random(32),
    random(32),
  ] as const
  const rootPk = platform.ed25519.publicKey(rootSeed)
  const devicePk = platform.ed25519.publicKey(deviceSeed)
  const sealPk = platform.kem.publicKey(sealSeed)
  return {
    rootSeed,
    rootPk,
    mailbox: mailboxIdOf(platform, rootPk),
    deviceSeed,
    devicePk,
    sealSeed,
    sealPk,
    prekeySeed,
    prekey: platform.kem.publicKey(prekeySeed),
    certificate: signDeviceCertificate(platform, rootSeed, {
      v: 1,
      account: rootPk,
      signPk: devicePk,
      sealPkHash: platform.sha256(sealPk),
      caps: 1,
      docSeq: 1,
    }),
  }
}

/** A letter of `person`'s, `changes` made to it. */
export function testLetter(person: TestPerson, changes: Partial<Letter> = {}): Letter {
  return {
    v: 1,
    from: person.rootPk,
    deviceCertificate: person.certificate,
    msgId: new Uint8Array(16).fill(7),
    sentAt: 1_760_000_000_000,
    type: 'text',
    body: utf8('good morning'),
    recordSeq: 1,
    ...changes,
  }
}
