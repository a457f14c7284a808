/**
 * Whom this node might connect to, by hearsay: the operator's bootstrap peers, the local network. A hint grants
 * nothing and is dialled within a budget; who answers has to prove the key that the hint names.
 * @module
 */

import type { PeerId } from '../../base/util/brand.ts'
import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import type { Log } from '../../base/util/log.ts'
import { dialAddressesOf } from '../transport/addresses.ts'
import type { Transport } from '../transport/transport.ts'

/** Who says so. The order is that of the dials. */
export const hintSources = ['lan', 'bootstrap'] as const
export type HintSource = (typeof hintSources)[number]

export interface PeerCandidatesDeps {
  readonly transport: Pick<Transport, 'peerId' | 'connect' | 'peers' | 'watch'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Pick<Scheduler, 'after'>
  readonly log: Log
}

/** The number of connected peers up to which a source's candidates are dialled. Bootstrap peers help where
 *  nobody else does. Neighbours count for the local network alone: they must not cut a node off from the rest. */
const wantedPeers: Readonly<Record<HintSource, number>> = {
  lan: 64,
  bootstrap: 1,
}

/** Of one source, so that no source crowds out another. */
const candidatesMax = 128
/** Of one source at the same time. */
const dialsMax = 3
/** Dials of one source. */
const dialRate = { perSecond: 2, burst: 16 }
const retryMsMin = 15_000
const retryMsMax = 600_000

interface Candidate {
  readonly peerId: PeerId
  readonly source: HintSource
  addresses: readonly string[]
  failures: number
  /** Not dialled before, ms of the monotonic clock. */
  nextAtMs: number
}

export class PeerCandidates {
  readonly #deps: PeerCandidatesDeps
  readonly #bySource = new Map(
    hintSources.map((source) => [source, new Map<PeerId, Candidate>()] as const),
  )
  readonly #dialling = new Map<PeerId, HintSource>()
  readonly #rate: RateLimiter
  readonly #closing = new AbortController()
  #stopWatching: Cancel = () => undefined
  #cancelTimer: Cancel | undefined

  constructor(deps: PeerCandidatesDeps) {
    this.#deps = deps
    this.#rate = new RateLimiter({ rate: dialRate, keysMax: hintSources.length, clock: deps.clock })
  }

  /** Candidates of all sources. */
  get size(): number {
    return [...this.#bySource.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Dials from now on. */
  start(): void {
    this.#stopWatching = this.#deps.transport.watch(() => this.#pump())
    this.#pump()
  }

  /** Takes a hint: addresses that cannot be dialled or name somebody else are dropped. A candidate that
   *  did not answer waits out its pause, whatever is said of it meanwhile. */
  offer(source: HintSource, peerId: PeerId, addresses: readonly string[]): void {
    if (peerId === this.#deps.transport.peerId) return
    const usable = dialAddressesOf(peerId, addresses)
    const candidates = this.#of(source)
    const known = candidates.get(peerId)
    if (usable.length === 0) return
    if (known) known.addresses = usable
    else {
      this.#makeRoom(candidates)
      if (candidates.size >= candidatesMax) return
      candidates.set(peerId, { peerId, source, addresses: usable, failures: 0, nextAtMs: 0 })
    }
    this.#pump()
  }

  /** Whether the peer was found on the local network. */
  isNeighbour(peerId: PeerId): boolean {
    return this.#of('lan').has(peerId)
  }

  /** The network is another one: pauses are over. */
  wake(): void {
    for (const candidates of this.#bySource.values()) {
      for (const candidate of candidates.values()) {
        candidate.failures = 0
        candidate.nextAtMs = 0
      }
    }
    this.#pump()
  }

  close(): void {
    this.#closing.abort()
    this.#stopWatching()
    this.#cancelTimer?.()
  }

  #of(source: HintSource): Map<PeerId, Candidate> {
    return this.#bySource.get(source) as Map<PeerId, Candidate>
  }

  /** The candidate that failed most often goes; one that was never tried stays. */
  #makeRoom(candidates: Map<PeerId, Candidate>): void {
    if (candidates.size < candidatesMax) return
    const connected = this.#connected()
    let worst: Candidate | undefined
    for (const candidate of candidates.values()) {
      if (connected.has(candidate.peerId) || this.#dialling.has(candidate.peerId)) continue
      if (candidate.failures > (worst?.failures ?? 0)) worst = candidate
    }
    if (worst) candidates.delete(worst.peerId)
  }

  #connected(): Set<PeerId> {
    return new Set(this.#deps.transport.peers().map(({ peerId }) => peerId))
  }

  #pump(): void {
    if (this.#closing.signal.aborted) return
    this.#cancelTimer?.()
    const connected = this.#connected()
    const waitMs = Math.min(...hintSources.map((source) => this.#pumpSource(source, connected)))
    if (Number.isFinite(waitMs)) {
      this.#cancelTimer = this.#deps.scheduler.after(Math.max(1, waitMs), () => this.#pump())
    }
  }

  /** Dials what is due and returns the ms until there may be more to do; infinite where an event says so. */
  #pumpSource(source: HintSource, connected: ReadonlySet<PeerId>): number {
    const nowMs = this.#deps.clock.monotonicMs()
    let nextAtMs = Number.POSITIVE_INFINITY
    for (const candidate of this.#of(source).values()) {
      const { peerId } = candidate
      if (connected.has(peerId) || this.#dialling.has(peerId)) continue
      const dials = [...this.#dialling.values()].filter((other) => other === source).length
      if (dials >= dialsMax || !this.#wants(source, connected, dials)) return Infinity
      if (candidate.nextAtMs > nowMs) nextAtMs = Math.min(nextAtMs, candidate.nextAtMs)
      else {
        const waitMs = this.#rate.take(source)
        if (waitMs > 0) return waitMs
        void this.#dial(candidate)
      }
    }
    return nextAtMs - nowMs
  }

  #wants(source: HintSource, connected: ReadonlySet<PeerId>, dials: number): boolean {
    const counted = [...connected].filter((peer) => this.isNeighbour(peer) === (source === 'lan'))
    return counted.length + dials < wantedPeers[source]
  }

  async #dial(candidate: Candidate): Promise<void> {
    const { transport, clock, log } = this.#deps
    const { peerId, source, addresses } = candidate
    this.#dialling.set(peerId, source)
    try {
      await transport.connect(addresses, this.#closing.signal)
      candidate.failures = 0
    } catch (error) {
      candidate.failures++
      log.debug('candidate not reached', { peer: peerId, source, error: toAbzuError(error) })
    }
    this.#dialling.delete(peerId)
    // who was reached and is lost at once does not cost a dial a second
    const pauseMs = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(candidate.failures, 10))
    candidate.nextAtMs = clock.monotonicMs() + pauseMs
    this.#pump()
  }
}
