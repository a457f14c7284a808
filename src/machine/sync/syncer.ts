/**
 * Keeps this node's copies of mailboxes up to date: pulls from every connected node with which it shares any, or which
 * its owner trusts, and serves those that pull from it.
 * @see docs/protocol.md#sync
 * @module
 */

import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { sleep } from '../../base/util/wait.ts'
import { syncProtocol } from '../../base/wire/protocols.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { FrameStream } from '../transport/frame-stream.ts'
import type { Transport } from '../transport/transport.ts'
import { HostErrand, type HostErrandDeps } from './host-errand.ts'
import { Origins } from './origins.ts'
import { Puller, type PullerDeps } from './puller.ts'
import { Repairs } from './repairs.ts'
import type { SharedMailboxes } from './shared-mailboxes.ts'
import { syncHandler, type SourceDeps, type SourceSession } from './source-session.ts'
import { SourceCursor, type SyncCursorsDeps } from './sync-cursors.ts'

export interface SyncerDeps
  extends
    Omit<SourceDeps, 'shared' | 'origins' | 'mailboxes' | 'isTrusted'>,
    Omit<HostErrandDeps, 'shared' | 'mailboxes' | 'platform' | 'items' | 'self'> {
  readonly mailboxes: SourceDeps['mailboxes'] &
    PullerDeps['mailboxes'] &
    HostErrandDeps['mailboxes'] &
    Pick<Mailboxes, 'watchRecords'>
  readonly shared: SharedMailboxes
  readonly store: SyncCursorsDeps
  readonly transport: Pick<Transport, 'open' | 'watch'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Scheduler
  readonly log: Log
  /** Nodes that this one's owner trusts. */
  readonly trusted: () => readonly PeerId[]
}

/** How this node and another one stand. */
export interface SyncState {
  /** Items offered to it that are not known to be durable there; undefined while it does not pull. */
  readonly behind: number | undefined
  /** Ms since this node had everything that the other one has; undefined where it does not pull from it now, or never
   *  had. */
  readonly pulledMsAgo: number | undefined
  /** Ms since both nodes held the same of all that they share, by count and sum of the ids; undefined where that was
   *  not seen since the start. */
  readonly verifiedMsAgo: number | undefined
  readonly pulledItems: number
  readonly pulledBytes: number
}

interface Pull {
  readonly ended: AbortController
  /** The peer has connected since the last attempt began. */
  isDue: boolean
  /** Ends the wait for another attempt. */
  wake: () => void
  failures: number
  markedAtMs: number | undefined
  errand: HostErrand | undefined
  repairs: Repairs | undefined
}

const retryMsMax = 60_000
const lookMs = 50

export class Syncer {
  readonly #deps: SyncerDeps
  readonly #origins = new Origins()
  readonly #sessions = new Set<SourceSession>()
  readonly #pulls = new Map<PeerId, Pull>()
  readonly #verifiedAtMs = new Map<PeerId, number>()
  readonly #stops: Cancel[] = []
  #isClosed = false

  constructor(deps: SyncerDeps) {
    this.#deps = deps
  }

  /** Pulls from now on. */
  start(): void {
    const { transport, shared } = this.#deps
    this.#stops.push(
      transport.watch(({ peerId, connected }) => {
        if (!connected) return
        this.#look(peerId)
        const pull = this.#pulls.get(peerId)
        if (pull) pull.isDue = true
        pull?.wake()
      }),
      shared.watch((peer) => this.#look(peer)),
    )
    for (const peer of [...this.#deps.trusted(), ...shared.peers()]) this.#look(peer)
  }

  /** The owner trusts others now. */
  trustChanged(): void {
    for (const peer of new Set([...this.#deps.trusted(), ...this.#pulls.keys()])) this.#look(peer)
  }

  /** Serves one stream. */
  readonly handler = async (stream: FrameStream): Promise<void> =>
    syncHandler(
      {
        ...this.#deps,
        origins: this.#origins,
        isTrusted: (peer) => this.#deps.trusted().includes(peer),
      },
      this.#sessions,
    )(stream)

  state(peer: PeerId): SyncState {
    const pull = this.#pulls.get(peer)
    const nowMs = this.#deps.clock.monotonicMs()
    const since = (atMs: number | undefined) => (atMs === undefined ? undefined : nowMs - atMs)
    return {
      behind: this.#session(peer)?.progress.behind,
      pulledMsAgo: since(pull?.markedAtMs),
      verifiedMsAgo: since(this.#verifiedAtMs.get(peer)),
      pulledItems: pull?.errand?.items ?? 0,
      pulledBytes: pull?.errand?.bytes ?? 0,
    }
  }

  /** Resolves to true when a peer has everything that this node has of what they share, and to false where that is not
   *  so in time. */
  async handedOver(peer: PeerId, timeoutMs: number): Promise<boolean> {
    if (this.#deps.shared.with(peer).size === 0) return true
    return this.#inTime(timeoutMs, () => this.#session(peer)?.progress.isUpToDate ?? false)
  }

  /** Resolves to true when everything that this node has of a mailbox is durable at one other host of it, and to false
   *  where that is not so in time. */
  async covered(mailbox: MailboxId, timeoutMs: number): Promise<boolean> {
    const last = await this.#deps.items.last(mailbox)
    return this.#inTime(timeoutMs, () => this.#have(mailbox, last).length > 0)
  }

  /** Hosts of a mailbox at which everything is durable that this node has of it. */
  async coveredBy(mailbox: MailboxId): Promise<PeerId[]> {
    return this.#have(mailbox, await this.#deps.items.last(mailbox))
  }

  /** Items that a peer has taken, or did not want, since it came by last: grows while it copies. Undefined where it does not
   *  come by. */
  givenTo(peer: PeerId): number | undefined {
    return this.#session(peer)?.progress.given
  }

  #have(mailbox: MailboxId, upTo: number): PeerId[] {
    const { shared } = this.#deps
    const given = shared.peers().filter((peer) => shared.isOffered(peer, mailbox))
    return given.filter((peer) => this.#session(peer)?.hasAll(mailbox, upTo))
  }

  async #inTime(timeoutMs: number, isSo: () => boolean): Promise<boolean> {
    const { clock, scheduler } = this.#deps
    const endMs = clock.monotonicMs() + timeoutMs
    while (!isSo()) {
      if (this.#isClosed || clock.monotonicMs() >= endMs) return false
      await sleep(scheduler, lookMs)
    }
    return true
  }

  #session(peer: PeerId): SourceSession | undefined {
    return [...this.#sessions].findLast((one) => one.peer === peer)
  }

  /** Compares the copies here with those of every peer that is there: something here may have gone. */
  compare(): void {
    for (const { repairs } of this.#pulls.values()) repairs?.look()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const stop of this.#stops) stop()
    for (const { ended } of this.#pulls.values()) ended.abort()
  }

  #look(peer: PeerId): void {
    if (this.#isClosed) return
    const isPartner = this.#isPartner(peer)
    const pull = this.#pulls.get(peer)
    if (pull && !isPartner) {
      pull.ended.abort()
      this.#pulls.delete(peer)
      this.#origins.forget(peer)
    } else if (!pull && isPartner) {
      const begun: Pull = {
        ended: new AbortController(),
        isDue: false,
        wake: () => {},
        failures: 0,
        markedAtMs: undefined,
        errand: undefined,
        repairs: undefined,
      }
      this.#pulls.set(peer, begun)
      void this.#keepPulling(peer, begun)
    }
  }

  #isPartner(peer: PeerId): boolean {
    const { shared, trusted } = this.#deps
    return shared.with(peer).size > 0 || trusted().includes(peer)
  }

  async #keepPulling(peer: PeerId, pull: Pull): Promise<void> {
    const { platform, clock, log } = this.#deps
    const { signal } = pull.ended
    while (!signal.aborted) {
      const begunAtMs = clock.monotonicMs()
      try {
        await this.#pull(peer, pull)
      } catch (error) {
        const { code } = toAbzuError(error)
        log.debug('pull-ended', { peer, code, failures: pull.failures })
      }
      if (signal.aborted) return
      // one that ends soon each time may cost both sides much, whatever was pulled
      if (clock.monotonicMs() - begunAtMs > retryMsMax) pull.failures = 0
      const fullMs = Math.min(retryMsMax, 500 * 2 ** Math.min(pull.failures++, 10))
      const jitter = (platform.random(1)[0] as number) / 255
      pull.markedAtMs = undefined
      await this.#rest(pull, fullMs * (0.5 + jitter / 2))
    }
  }

  /** Resolves after a while, or when the peer connects. */
  async #rest(pull: Pull, delayMs: number): Promise<void> {
    if (pull.isDue) return
    const rested = Promise.withResolvers<void>()
    const cancel = this.#deps.scheduler.after(delayMs, rested.resolve)
    pull.wake = rested.resolve
    pull.ended.signal.addEventListener('abort', () => rested.resolve(), { once: true })
    await rested.promise
    cancel()
  }

  async #pull(peer: PeerId, pull: Pull): Promise<void> {
    const { transport, store, mailboxes, shared, clock, log } = this.#deps
    const { signal } = pull.ended
    pull.isDue = false
    const cursor = await SourceCursor.open(store, peer, log)
    const addresses = shared.addressesOf(peer)
    const stream = await transport.open(peer, syncProtocol, { addresses, signal })
    const end = () => stream.abort(new AbzuError('ABZU_CLOSED', 'the pull is over'))
    signal.addEventListener('abort', end, { once: true })
    const marked = (isVerified: boolean) => {
      pull.markedAtMs = clock.monotonicMs()
      if (isVerified) verified()
      repairs.marked(isVerified)
    }
    const verified = () => void this.#verifiedAtMs.set(peer, clock.monotonicMs())
    const errand = new HostErrand(this.#deps, { peer, cursor, marked })
    pull.errand = errand
    const puller = new Puller({ ...this.#deps, origins: this.#origins }, stream, errand)
    const repairs = new Repairs({ ...this.#deps, puller, peer, verified })
    pull.repairs = repairs
    const stop = mailboxes.watchRecords((mailbox) => {
      if (!puller.isHosting(mailbox)) void this.#introduce(mailbox, errand, puller)
    })
    try {
      signal.throwIfAborted()
      await puller.run()
    } catch (error) {
      stream.abort(toAbzuError(error))
      throw error
    } finally {
      stop()
      repairs.close()
      pull.repairs = undefined
      signal.removeEventListener('abort', end)
    }
  }

  async #introduce(mailbox: MailboxId, errand: HostErrand, puller: Puller): Promise<void> {
    try {
      const introduction = await errand.introduction(mailbox)
      if (introduction) puller.say(introduction)
    } catch (error) {
      this.#deps.log.debug('not-introduced', { error: toAbzuError(error) })
    }
  }
}
