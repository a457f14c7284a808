import {
  comparePlaces,
  placeOf,
  verifyMailboxRecord,
  type RecordPlace,
} from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { setNewest } from '../../base/util/newest.ts'
import type { DirectoryLimits } from './directory-limits.ts'
import { isBelow, type KnownPlace } from './inquiry.ts'

export interface AnswerCacheDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly limits: Pick<DirectoryLimits, 'cachedRecordsMax' | 'cachedMs'>
}

interface Answer {
  readonly signed: Uint8Array
  readonly place: RecordPlace
  readonly atMs: number
}

/** Records that were found lately. The newest of a mailbox that this node has seen stays the least that it
 *  believes, for as long as it is remembered. */
export class AnswerCache {
  readonly #deps: AnswerCacheDeps
  /** Least recently found first. */
  readonly #answers = new Map<string, Answer>()

  constructor(deps: AnswerCacheDeps) {
    this.#deps = deps
  }

  /** A record that was found a moment ago, unless `held`, which is verified, is newer. */
  fresh(mailbox: MailboxId, known: KnownPlace, held?: Uint8Array): Uint8Array | undefined {
    const { clock, limits, platform } = this.#deps
    const answer = this.#answers.get(mapKey(mailbox))
    if (!answer || answer.atMs + limits.cachedMs <= clock.monotonicMs()) return undefined
    if (held && comparePlaces(placeOf(verifyMailboxRecord(platform, held)), answer.place) > 0) {
      return undefined
    }
    return isBelow(answer.place, known) ? undefined : answer.signed
  }

  /** However long ago. */
  any(mailbox: MailboxId): Uint8Array | undefined {
    return this.#answers.get(mapKey(mailbox))?.signed
  }

  /** `signed` is verified. */
  keep(mailbox: MailboxId, signed: Uint8Array): void {
    const key = mapKey(mailbox)
    const place = placeOf(verifyMailboxRecord(this.#deps.platform, signed))
    const before = this.#answers.get(key)
    if (before && comparePlaces(before.place, place) > 0) return
    const { clock, limits } = this.#deps
    const answer = { signed, place, atMs: clock.monotonicMs() }
    setNewest(this.#answers, [key, answer], limits.cachedRecordsMax)
  }
}
