/** Letters of strangers that attackers send over the wire to one mailbox, far over its room for them. @module */

import { itemIdOf } from '../../../src/base/crypto/address.ts'
import { isStamp } from '../../../src/base/crypto/stamp.ts'
import { prekeyIdOf, unverifiedRecord } from '../../../src/base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../../src/base/crypto/platform.ts'
import type { MailboxId } from '../../../src/base/util/brand.ts'
import { concatBytes } from '../../../src/base/util/bytes.ts'
import { encodeEnvelopeHeader, suiteXWing } from '../../../src/base/wire/envelope.ts'
import type { Parcel } from '../../../src/machine/mailbox/courier.ts'
import { falseStampFor, stampFor } from '../stamps.ts'

export interface StrangerLettersInit {
  readonly platform: CryptoPlatform
  /** ms since 1970. */
  readonly nowMs: number
  readonly mailbox: MailboxId
  /** The mailbox's signed record, as anybody may ask for it. */
  readonly record: Uint8Array
}

export interface StrangerLetter {
  readonly sort: string
  readonly parcel: Parcel
}

/** Good stamps are dear: so many letters have one, and each is sent again and again. Most are as long as letters
 *  may be, so that their bytes are too many before their number is. */
const stampedLetters = 80
const longEvery = 4
const longBytes = 240 * 1024
const shortBytes = 1500

export class StrangerLetters {
  readonly #init: StrangerLettersInit
  readonly #bits: number
  readonly #keyId: Uint8Array
  readonly #stock: readonly Parcel[]
  #sent = 0

  constructor(init: StrangerLettersInit) {
    const { platform, record } = init
    const { prekey, stampBits } = unverifiedRecord(record)
    this.#init = init
    this.#bits = stampBits
    this.#keyId = prekeyIdOf(platform, prekey)
    this.#stock = Array.from({ length: stampedLetters }, (_, n) =>
      this.#stamped(n % longEvery === 0 ? shortBytes : longBytes),
    )
  }

  /** With a good stamp, another one each time until all were sent. */
  valid(): StrangerLetter {
    const parcel = this.#stock[this.#sent++ % this.#stock.length] as Parcel
    return { sort: 'valid', parcel }
  }

  /** One of each sort of what must never be let in. */
  *bad(): Generator<StrangerLetter> {
    const { platform, mailbox } = this.#init
    for (;;) {
      yield this.#letter('junk', platform.random(shortBytes), platform.random(8))
      const envelope = this.#envelope(shortBytes)
      const order = { mailbox, item: itemIdOf(platform, envelope), bits: this.#bits }
      yield this.#letter('bad stamp', envelope, falseStampFor(platform, order))
      const { stamp } = this.#stock[0] as Parcel & { stamp: Uint8Array }
      let other = this.#envelope(shortBytes)
      // one in sixteen thousand is good for another letter by chance
      while (this.#isGood(other, stamp)) other = this.#envelope(shortBytes)
      yield this.#letter("another letter's stamp", other, stamp)
      const third = this.#envelope(shortBytes)
      const door = { doorId: platform.random(8), proof: platform.random(16) }
      const id = itemIdOf(platform, third)
      yield { sort: 'no such door', parcel: { id, mailbox, envelope: third, ...door } }
      const cut = (this.#stock[0] as Parcel).envelope.subarray(0, 1000)
      yield this.#letter('cut off', cut, stamp)
    }
  }

  #isGood(envelope: Uint8Array, stamp: Uint8Array): boolean {
    const { platform, mailbox } = this.#init
    const order = { mailbox, item: itemIdOf(platform, envelope), bits: this.#bits }
    return isStamp(platform, order, stamp)
  }

  #stamped(length: number): Parcel {
    const { platform, mailbox } = this.#init
    const envelope = this.#envelope(length)
    const item = itemIdOf(platform, envelope)
    const stamp = stampFor(platform, { mailbox, item, bits: this.#bits })
    return { id: item, mailbox, envelope, stamp }
  }

  #letter(sort: string, envelope: Uint8Array, stamp: Uint8Array): StrangerLetter {
    const { platform, mailbox } = this.#init
    return { sort, parcel: { id: itemIdOf(platform, envelope), mailbox, envelope, stamp } }
  }

  /** No host can look behind the header. */
  #envelope(length: number): Uint8Array {
    const { platform, nowMs } = this.#init
    const expiresAtHours = Math.floor(nowMs / 3_600_000) + 48
    const header = encodeEnvelopeHeader({ suite: suiteXWing, keyId: this.#keyId, expiresAtHours })
    return concatBytes(header, platform.random(length - header.length))
  }
}
