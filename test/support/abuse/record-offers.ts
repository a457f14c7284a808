/** What attackers offer to a node's directory, and the little of it that the node may hold. @module */

import type { CryptoPlatform } from '../../../src/base/crypto/platform.ts'
import { compareBytes, mapKey } from '../../../src/base/util/bytes.ts'
import { seededIntegers } from '../hostile.ts'
import { RecordSigner } from '../record-signer.ts'

export interface Offer {
  readonly sort: string
  readonly record: Uint8Array
}

export interface RecordOffersInit {
  readonly platform: CryptoPlatform
  /** ms since 1970. */
  readonly nowMs: number
}

const day = 24

const junkSorts = [
  'noise',
  'wrong signature',
  "another's account",
  'too old',
  'of the future',
  'oversize',
] as const

export class RecordOffers {
  static readonly junkSorts = junkSorts
  readonly #init: RecordOffersInit
  readonly #draw = seededIntegers(31)
  /** Mailbox to the record of its account that goes before the others. */
  readonly #valid = new Map<string, Uint8Array>()
  #accounts = 0

  constructor(init: RecordOffersInit) {
    this.#init = init
  }

  /** The only record that a node may hold for a mailbox of the attackers; undefined where there is none. */
  validOf(mailbox: Uint8Array): Uint8Array | undefined {
    return this.#valid.get(mapKey(mailbox))
  }

  /** Records of so many accounts, each of which a node has to hold if it has room. */
  valid(count: number, sort = 'valid'): Offer[] {
    return Array.from({ length: count }, () => {
      const account = this.#account()
      return { sort, record: this.#remember(account, account.record()) }
    })
  }

  /** The records of an account that deceives: two of one place, and an older one after a newer. */
  deceitful(): Offer[] {
    const account = this.#account()
    const [one, other] = [
      account.record({ seq: 5 }),
      account.record({ seq: 5, changes: { stampBits: 9 } }),
    ]
    const { sha256 } = this.#init.platform
    this.#remember(account, compareBytes(sha256(one), sha256(other)) < 0 ? one : other)
    return [
      { sort: 'valid', record: one },
      { sort: 'fork', record: other },
      { sort: 'older', record: account.record({ seq: 4 }) },
    ]
  }

  /** `count` of what is no record, in turn of each sort.
   *  @param coveted root public key of an account that attackers would like to speak for */
  junk(count: number, coveted: Uint8Array): Offer[] {
    return Array.from({ length: count }, (_, n) => this.#junk(n, coveted))
  }

  #junk(n: number, coveted: Uint8Array): Offer {
    const { nowMs } = this.#init
    const nowHours = Math.floor(nowMs / 3_600_000)
    const sort = junkSorts[n % junkSorts.length] as (typeof junkSorts)[number]
    switch (sort) {
      case 'noise':
        return { sort, record: this.#bytes(65 + this.#draw(4000)) }
      case 'wrong signature': {
        const record = this.#account().record()
        const at = record.length - 1 - this.#draw(64)
        record[at] = (record[at] as number) ^ (1 << this.#draw(8))
        return { sort, record }
      }
      case "another's account":
        return { sort, record: this.#account().record({ changes: { account: coveted } }) }
      case 'too old': {
        const endHours = nowHours - (31 + this.#draw(300)) * day
        const changes = { notBeforeHours: endHours - 90 * day, notAfterHours: endHours }
        return { sort, record: this.#account().record({ changes }) }
      }
      case 'of the future': {
        const changes = {
          notBeforeHours: nowHours + 100 * day,
          notAfterHours: nowHours + 480 * day,
        }
        return { sort, record: this.#account().record({ changes }) }
      }
      case 'oversize':
        return { sort, record: this.#bytes(4097 + this.#draw(60_000)) }
    }
  }

  #account(): RecordSigner {
    const { platform, nowMs } = this.#init
    return new RecordSigner(platform, { seed: 1_000_000 + this.#accounts++, nowMs })
  }

  #remember(account: RecordSigner, record: Uint8Array): Uint8Array {
    this.#valid.set(mapKey(account.mailbox), record)
    return record
  }

  #bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#draw(256))
  }
}
