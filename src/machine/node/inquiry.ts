/**
 * One search for a record: who is asked when, and which answer is believed. An answer counts where the account
 * has signed it and it is not older than what was known; of several the newest is taken.
 * @see docs/protocol.md#directory
 * @module
 */

import {
  comparePlaces,
  compareRecords,
  isFork,
  placeOf,
  verifyMailboxRecord,
  type RecordPlace,
  type VerifiedMailboxRecord,
} from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { equalBytes, toHex } from '../../base/util/bytes.ts'
import type { Cancel, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Host } from '../../base/wire/records.ts'
import type { MeshPeer } from '../transport/mesh-routing.ts'
import type { DirectoryLimits } from './directory-limits.ts'
import { inParallel } from './in-parallel.ts'

/** What who asks has seen of the account: nothing older is an answer. */
export interface KnownPlace {
  readonly docSeq?: number | undefined
  readonly seq?: number | undefined
}

/** Whether a record at `place` is older than what is `known`. */
export function isBelow(place: RecordPlace, { docSeq = 0, seq = 0 }: KnownPlace): boolean {
  return comparePlaces(place, { docSeq, seq }) < 0
}

export interface InquiryDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>
  readonly scheduler: Scheduler
  readonly limits: DirectoryLimits
  readonly log: Log
}

export interface Sources {
  readonly hosts: readonly Host[]
  readonly askHost: (host: Host, signal: AbortSignal) => Promise<Uint8Array>
  /** Nodes of the mesh that may have it: those at hand, and when `patience` is over, others. */
  readonly nearby: (wait: {
    patience: Promise<void>
    signal: AbortSignal
  }) => AsyncIterable<readonly MeshPeer[]>
  readonly ask: (peer: MeshPeer, signal: AbortSignal) => Promise<Uint8Array>
}

type Answer = 'valid' | 'none' | 'unusable'

export class Inquiry {
  readonly #deps: InquiryDeps
  readonly #mailbox: MailboxId
  readonly #known: KnownPlace
  readonly #done = Promise.withResolvers<Uint8Array>()
  /** Ends what still runs when there is an answer. */
  readonly #over = new AbortController()
  #newest: VerifiedMailboxRecord | undefined
  /** Valid answers of the mesh. */
  #answers = 0
  /** Somebody answered, even if without a record. */
  #hasAnswer = false
  #cancelWait: Cancel | undefined

  constructor(deps: InquiryDeps, { mailbox, known }: { mailbox: MailboxId; known: KnownPlace }) {
    this.#deps = deps
    this.#mailbox = mailbox
    this.#known = known
  }

  /** A record that this node has itself: a candidate, and no answer. */
  remember(signed: Uint8Array): void {
    this.#weigh(signed)
  }

  /** Resolves with the record to believe.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_UNREACHABLE */
  async run(sources: Sources): Promise<Uint8Array> {
    const { scheduler, limits } = this.#deps
    const cancel = scheduler.after(limits.resolveMs, () => this.#finish())
    try {
      this.#search(sources).catch((error: unknown) => this.#done.reject(toAbzuError(error)))
      return await this.#done.promise
    } finally {
      cancel()
      this.#cancelWait?.()
      this.#over.abort(new AbzuError('ABZU_CLOSED', 'the search is over'))
    }
  }

  async #search(sources: Sources): Promise<void> {
    const { scheduler, limits } = this.#deps
    const patience = Promise.withResolvers<void>()
    const cancel = scheduler.after(limits.hostsFirstMs, patience.resolve)
    const hosts = this.#askHosts(sources)
    // the hosts first: it is they who have the newest
    await Promise.race([hosts, patience.promise])
    cancel()
    if (this.#over.signal.aborted) return
    await Promise.all([hosts, this.#askMesh(sources)])
    this.#finish()
  }

  async #askHosts({ hosts, askHost }: Sources): Promise<void> {
    await Promise.all(
      hosts.map(async (host) => {
        const answer = await this.#take(async () => askHost(host, this.#over.signal), host.peerId)
        if (answer === 'valid') this.#finish()
      }),
    )
  }

  async #askMesh({ nearby, ask }: Sources): Promise<void> {
    const { limits, scheduler } = this.#deps
    const { signal } = this.#over
    const asked = new Set<PeerId>()
    const waves: Promise<void>[] = []
    const patience = Promise.withResolvers<void>()
    signal.addEventListener('abort', () => patience.resolve(), { once: true })
    const cancel = scheduler.after(limits.knownFirstMs, patience.resolve)
    for await (const peers of nearby({ patience: patience.promise, signal })) {
      const fresh = peers.filter(({ peerId }) => !asked.has(peerId))
      for (const { peerId } of fresh) asked.add(peerId)
      const wave = inParallel(fresh, limits.askParallelMax, async (peer) => {
        if (signal.aborted) return
        const answer = await this.#take(async () => ask(peer, signal), peer.peerId)
        if (answer === 'valid') this.#answered()
      })
      waves.push(wave.finally(patience.resolve))
    }
    cancel()
    await Promise.all(waves)
  }

  #answered(): void {
    const { limits, scheduler } = this.#deps
    this.#answers++
    if (this.#answers >= limits.answersWanted) return this.#finish()
    this.#cancelWait ??= scheduler.after(limits.answersMs, () => this.#finish())
  }

  async #take(ask: () => Promise<Uint8Array>, peer: string): Promise<Answer> {
    try {
      const signed = await ask()
      this.#hasAnswer = true
      if (this.#weigh(signed)) return 'valid'
      this.#deps.log.debug('record-of-no-use', { mailbox: this.#name, peer })
      return 'unusable'
    } catch (error) {
      if (!isAbzuError(error)) throw error
      if (error.code === 'ABZU_NOT_FOUND') this.#hasAnswer = true
      return error.code === 'ABZU_NOT_FOUND' ? 'none' : 'unusable'
    }
  }

  /** Whether the record is one of this mailbox, and not older than what is known. The newest is kept. */
  #weigh(signed: Uint8Array): boolean {
    const { platform, log } = this.#deps
    let offered: VerifiedMailboxRecord
    try {
      offered = verifyMailboxRecord(platform, signed)
    } catch (error) {
      if (!isAbzuError(error)) throw error
      return false
    }
    if (!equalBytes(offered.mailbox, this.#mailbox)) return false
    if (isBelow(placeOf(offered), this.#known)) return false
    if (this.#newest && isFork(offered, this.#newest)) {
      log.warn('record-fork', { mailbox: this.#name })
    }
    if (!this.#newest || compareRecords(platform, offered, this.#newest) > 0) this.#newest = offered
    return true
  }

  #finish(): void {
    if (this.#newest) return this.#done.resolve(this.#newest.signed)
    const error = this.#hasAnswer
      ? new AbzuError('ABZU_NOT_FOUND', 'nobody has a record of this mailbox')
      : new AbzuError('ABZU_UNREACHABLE', 'nobody who may know the mailbox can be reached')
    this.#done.reject(error)
  }

  get #name(): string {
    return toHex(this.#mailbox.subarray(0, 8))
  }
}
