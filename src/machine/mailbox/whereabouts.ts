/**
 * Where recipients are whose home takes no letters: now and then their newest records are asked for, since the account
 * may live elsewhere by now, recovered or moved. It goes on, ever more seldom, for as long as letters wait.
 * @see docs/protocol.md#a-home-that-has-moved
 * @module
 */

import { parsePeerId } from '../../base/crypto/address.ts'
import {
  comparePlaces,
  placeOf,
  verifyMailboxRecord,
  type RecordPlace,
  type VerifiedMailboxRecord,
} from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { concatBytes, equalBytes, mapKey, toHex } from '../../base/util/bytes.ts'
import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Host } from '../../base/wire/records.ts'
import { inParallel } from '../node/in-parallel.ts'
import type { Letter } from './lane.ts'
import type { OutboxHead } from './outbox-row.ts'

export interface WhereaboutsDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Pick<Scheduler, 'after'>
  readonly log: Log
  /** A fraction from 0 to 1. */
  readonly jitter: () => number
  /** See `Directory.resolve`. */
  readonly resolve: (
    mailbox: MailboxId,
    hosts: readonly Host[],
    known: RecordPlace,
  ) => Promise<Uint8Array>
  /** Undefined where the letter is gone, or its row is damaged. */
  readonly headOf: (letter: Letter) => OutboxHead | undefined
  /** Told for each letter that went by an older record than this one, which names a home. */
  readonly found: (letter: Letter, record: VerifiedMailboxRecord) => Promise<void>
}

interface Search {
  readonly mailbox: MailboxId
  readonly letters: Set<Letter>
  /** In a row. */
  failures: number
  /** Monotonic, ms. */
  dueAtMs: number
}

const firstMs = 5000
const pauseMsMax = 3_600_000
/** Recipients that are looked for at once. */
const searchesParallelMax = 4

/** The place in its account's history of the record by which a letter goes. */
function routedBy({ sealedBy }: OutboxHead): RecordPlace {
  return sealedBy ?? { docSeq: 0, seq: 0 }
}

export class Whereabouts {
  readonly #deps: WhereaboutsDeps
  readonly #searches = new Map<string, Search>()
  /** Whose search a letter is part of, by the key in the map of them. */
  readonly #keys = new Map<Letter, string>()
  #cancelTimer: Cancel | undefined
  #isAsking = false
  #isClosed = false

  constructor(deps: WhereaboutsDeps) {
    this.#deps = deps
  }

  /** Recipients that are looked for. */
  get size(): number {
    return this.#searches.size
  }

  /** A letter that its home does not take. */
  add(letter: Letter): void {
    const head = this.#deps.headOf(letter)
    if (!head || this.#keys.has(letter)) return
    const mailbox = concatBytes(head.to) as MailboxId
    const key = mapKey(mailbox)
    const search = this.#searches.get(key) ?? this.#begin(mailbox)
    this.#searches.set(key, search)
    search.letters.add(letter)
    this.#keys.set(letter, key)
    this.#plan()
  }

  /** A letter that waits for its home no more. */
  end(letter: Letter): void {
    const key = this.#keys.get(letter)
    if (key === undefined) return
    this.#keys.delete(letter)
    const search = this.#searches.get(key)
    search?.letters.delete(letter)
    if (search?.letters.size === 0) this.#searches.delete(key)
  }

  /** The network is another one: everybody is looked for soon. */
  wake(): void {
    for (const search of this.#searches.values()) this.#putOff(search, 0)
    this.#plan()
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
  }

  #begin(mailbox: MailboxId): Search {
    const search = { mailbox, letters: new Set<Letter>(), failures: 0, dueAtMs: 0 }
    this.#putOff(search, 0)
    return search
  }

  /** The pause doubles with each failure in a row. */
  #putOff(search: Search, failures: number): void {
    const { clock, jitter } = this.#deps
    const pauseMs = Math.min(pauseMsMax, firstMs * 2 ** Math.min(failures, 20))
    search.failures = failures
    search.dueAtMs = clock.monotonicMs() + pauseMs * (0.7 + 0.3 * jitter())
  }

  #plan(): void {
    if (this.#isClosed || this.#isAsking) return
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    let firstAtMs = Number.POSITIVE_INFINITY
    for (const { dueAtMs } of this.#searches.values()) firstAtMs = Math.min(firstAtMs, dueAtMs)
    if (firstAtMs === Number.POSITIVE_INFINITY) return
    const { clock, scheduler } = this.#deps
    const delayMs = Math.max(1, firstAtMs - clock.monotonicMs())
    this.#cancelTimer = scheduler.after(delayMs, () => void this.#askDue())
  }

  async #askDue(): Promise<void> {
    this.#isAsking = true
    const nowMs = this.#deps.clock.monotonicMs()
    const due = [...this.#searches.values()].filter(({ dueAtMs }) => dueAtMs <= nowMs)
    await inParallel(due, searchesParallelMax, async (search) => {
      if (!this.#isClosed && search.letters.size > 0) await this.#ask(search)
    })
    this.#isAsking = false
    this.#plan()
  }

  async #ask(search: Search): Promise<void> {
    const { log, found } = this.#deps
    try {
      const record = await this.#newerRecord(search)
      this.#putOff(search, 0)
      for (const { letter, head } of this.#waiting(search)) {
        if (comparePlaces(placeOf(record), routedBy(head)) > 0) await found(letter, record)
      }
    } catch (error) {
      this.#putOff(search, search.failures + 1)
      const mailbox = toHex(search.mailbox.subarray(0, 8))
      const failure = toAbzuError(error)
      if (isAbzuError(error)) log.debug('recipient-not-found', { mailbox, code: failure.code })
      else log.error('recipient-not-looked-for', { mailbox, error: failure })
    }
  }

  /** One that is newer than that by which any of the letters goes. */
  async #newerRecord({ mailbox, ...search }: Search): Promise<VerifiedMailboxRecord> {
    const { platform, resolve } = this.#deps
    const heads = this.#waiting(search)
      .map(({ head }) => head)
      .toSorted((a, b) => comparePlaces(routedBy(a), routedBy(b)))
    const [oldest, newest] = [heads[0], heads.at(-1)]
    if (!oldest || !newest) throw new AbzuError('ABZU_NOT_FOUND', 'no letter waits any more')
    const { docSeq, seq } = routedBy(oldest)
    // the one that is known is no answer: who has it may not have heard of the newest
    const signed = await resolve(mailbox, newest.hosts, { docSeq, seq: seq + 1 })
    const verified = verifyMailboxRecord(platform, signed)
    const { hosts } = verified.record
    for (const { peerId } of hosts) parsePeerId(peerId)
    const hasHome = hosts.some(({ role }) => role === 'home')
    if (!hasHome || !equalBytes(verified.mailbox, mailbox)) {
      throw new AbzuError('ABZU_MALFORMED', 'a record that leads to no home')
    }
    return verified
  }

  #waiting({ letters }: Pick<Search, 'letters'>): { letter: Letter; head: OutboxHead }[] {
    return [...letters].flatMap((letter) => {
      const head = this.#deps.headOf(letter)
      return head ? [{ letter, head }] : []
    })
  }
}
