import { signDeviceCertificate } from '../../src/base/crypto/certificate.ts'
import { signMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { MailboxRecord } from '../../src/base/wire/records.ts'
import { testPerson, type TestPerson } from './persons.ts'
import { testCertificate, testRecord } from './signed-records.ts'

/** An account that signs whatever records a test wants, with any of its devices. */
export class RecordSigner {
  readonly #platform: CryptoPlatform
  readonly #nowHours: number
  readonly person: TestPerson

  /** `seed` gives the keys; `nowMs` is since 1970. */
  constructor(platform: CryptoPlatform, { seed, nowMs }: { seed: number; nowMs: number }) {
    this.#platform = platform
    this.#nowHours = Math.floor(nowMs / 3_600_000)
    this.person = testPerson(platform, seed)
  }

  get mailbox() {
    return this.person.mailbox
  }

  /** A valid record, unless `changes` make it another one.
   *  @param init.docSeq of the identity document that certified the device; 1 where left out
   *  @param init.device another of the account's devices, by its number */
  record(
    init: { seq?: number; docSeq?: number; device?: number; changes?: Partial<MailboxRecord> } = {},
  ): Uint8Array {
    const { seq = 1, docSeq = 1, device = 0, changes } = init
    const platform = this.#platform
    const deviceSeed = platform.sha256(this.person.deviceSeed, Uint8Array.of(device))
    const deviceCertificate = signDeviceCertificate(platform, this.person.rootSeed, {
      ...testCertificate(platform, this.person),
      signPk: platform.ed25519.publicKey(deviceSeed),
      docSeq,
    })
    const record = testRecord(this.person, {
      seq,
      notBeforeHours: this.#nowHours,
      notAfterHours: this.#nowHours + 9600,
      deviceCertificate,
      ...changes,
    })
    return signMailboxRecord(platform, deviceSeed, record)
  }
}
