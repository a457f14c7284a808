/**
 * Other nodes of the mesh and where they were reached: remembered, so that nodes which all lost their power
 * find each other again, and dialled while too few are connected.
 * @module
 */

import { machineKeyOf, parsePeerId } from '../../base/crypto/address.ts'
import type { Table } from '../../base/store/table.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { type Cancel, type Clock, hoursOf, type Scheduler } from '../../base/util/clock.ts'
import { isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { withDeadline } from '../../base/util/wait.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { decodeShape, list, literal, record, text, uint } from '../../base/wire/shape.ts'
import type { MeshPeer } from '../transport/mesh-routing.ts'
import type { Transport } from '../transport/transport.ts'
import { inParallel } from './in-parallel.ts'

const rowShape = record({
  v: literal(1),
  peerId: text(64),
  addresses: list(text(wireLimits.addressBytesMax), wireLimits.addressesMax),
  /** Hours since 1970: connected then. */
  seenHours: uint(2 ** 32 - 1),
})

export interface MeshPeersDeps {
  readonly table: Table
  readonly transport: Pick<Transport, 'peerId' | 'connect' | 'isConnected' | 'watch' | 'mesh'>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: (length: number) => Uint8Array
  readonly log: Log
  /** Called when this node has got to know more of the mesh. */
  readonly joined: () => void
}

interface Candidate {
  readonly peerId: PeerId
  addresses: readonly string[]
  /** Hours since 1970: connected then. */
  seenHours: number
  failures: number
  /** Monotonic, ms: not dialled before. */
  notBeforeMs: number
}

/** Peers that are remembered. */
const meshPeersMax = 512
/** Below so many connected ones, others are dialled. */
const wantedPeers = 8
const dialsAtOnce = 4
const dialMs = 5000
const retryMinMs = 1000
const retryMsMax = 600_000
const upkeepMs = 30_000
/** A crowd that connects at once is one event. */
const settleMs = 300
/** The pause between two looks around grows threefold from here... */
const lookMinMs = 1000
/** ...to here. */
const lookMsMax = 600_000
/** A row that says the same is written again after so long. */
const rewriteHours = 24

export class MeshPeers {
  readonly #deps: MeshPeersDeps
  readonly #candidates = new Map<PeerId, Candidate>()
  readonly #closing = new AbortController()
  #stopWatching: Cancel | undefined
  #cancelNext: Cancel | undefined
  #nextAtMs = Number.POSITIVE_INFINITY
  #isRunning = false
  /** Monotonic, ms: when to look around next, and the pause after that. */
  #lookAtMs = 0
  #lookPauseMs = lookMinMs
  #known = 0
  #isOwnTurn = false

  constructor(deps: MeshPeersDeps) {
    this.#deps = deps
  }

  /** Dials the nodes that were remembered, now and whenever too few are connected. */
  async start(): Promise<void> {
    for await (const { value } of this.#deps.table.range({ limit: meshPeersMax })) {
      const { peerId, addresses, seenHours } = decodeShape(rowShape, value, 'mesh peer')
      this.#remember({ peerId: parsePeerId(peerId), addresses }, seenHours)
    }
    this.#stopWatching = this.#deps.transport.watch(({ connected }) => {
      if (connected && this.#known < wantedPeers) this.#lookSoon()
      this.#plan(settleMs)
    })
    this.#plan(0)
  }

  close(): void {
    this.#closing.abort()
    this.#stopWatching?.()
    this.#cancelNext?.()
  }

  /** The network is another one: pauses are over. */
  wake(): void {
    for (const candidate of this.#candidates.values()) {
      candidate.failures = 0
      candidate.notBeforeMs = 0
    }
    this.#lookSoon()
    this.#plan(0)
  }

  #remember({ peerId, addresses }: MeshPeer, seenHours: number): void {
    const { failures = 0, notBeforeMs = 0 } = this.#candidates.get(peerId) ?? {}
    this.#candidates.set(peerId, { peerId, addresses, seenHours, failures, notBeforeMs })
    if (this.#candidates.size <= meshPeersMax) return
    let oldest: Candidate | undefined
    for (const one of this.#candidates.values()) {
      if (one.peerId !== peerId && (!oldest || one.seenHours < oldest.seenHours)) oldest = one
    }
    if (!oldest) return
    this.#candidates.delete(oldest.peerId)
    this.#write(async () => this.#deps.table.delete(machineKeyOf(oldest.peerId)))
  }

  #plan(delayMs: number): void {
    const { scheduler, clock } = this.#deps
    const atMs = clock.monotonicMs() + delayMs
    if (this.#closing.signal.aborted || this.#isRunning || this.#nextAtMs <= atMs) return
    this.#cancelNext?.()
    this.#nextAtMs = atMs
    this.#cancelNext = scheduler.after(delayMs, () => void this.#run())
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    this.#nextAtMs = Number.POSITIVE_INFINITY
    try {
      await this.#lookAround()
      await this.#note()
      await this.#dial()
    } catch (error) {
      this.#deps.log.warn('mesh-upkeep-failed', { error: toAbzuError(error) })
    }
    this.#isRunning = false
    this.#plan(this.#pauseMs())
  }

  /** Looks something up for the sake of the peers that are named on the way: often at first, then ever more
   *  seldom. */
  async #lookAround(): Promise<void> {
    const { transport, random, joined, clock, scheduler } = this.#deps
    if (clock.monotonicMs() < this.#lookAtMs) return
    this.#lookAtMs = clock.monotonicMs() + this.#lookPauseMs
    this.#lookPauseMs = Math.min(lookMsMax, 3 * this.#lookPauseMs)
    // one's own neighbourhood and a random place, in turns
    this.#isOwnTurn = !this.#isOwnTurn
    const key = this.#isOwnTurn ? machineKeyOf(transport.peerId) : random(32)
    await withDeadline(scheduler, this.#patience, async (signal) =>
      transport.mesh.closest(key, signal),
    )
    const known = (await transport.mesh.known(random(32))).length
    if (known > this.#known) joined()
    this.#known = known
  }

  #lookSoon(): void {
    this.#lookPauseMs = lookMinMs
    this.#lookAtMs = Math.min(this.#lookAtMs, this.#deps.clock.monotonicMs())
  }

  /** For one dial or lookup. */
  get #patience(): { timeoutMs: number; signal: AbortSignal } {
    return { timeoutMs: dialMs, signal: this.#closing.signal }
  }

  /** Writes down where the connected ones are. */
  async #note(): Promise<void> {
    const nowHours = hoursOf(this.#deps.clock.nowMs())
    for (const peer of await this.#deps.transport.mesh.connected()) {
      if (peer.addresses.length === 0) continue
      const addresses = peer.addresses.slice(0, wireLimits.addressesMax)
      const before = this.#candidates.get(peer.peerId)
      const isNoted =
        before !== undefined &&
        before.addresses.join() === addresses.join() &&
        Math.abs(nowHours - before.seenHours) < rewriteHours
      if (before) before.failures = 0
      if (isNoted) continue
      this.#remember({ peerId: peer.peerId, addresses }, nowHours)
      const row = encode({ v: 1, peerId: peer.peerId, addresses, seenHours: nowHours })
      this.#write(async () => this.#deps.table.put(machineKeyOf(peer.peerId), row))
    }
  }

  #write(write: () => Promise<void>): void {
    write().catch((error: unknown) => {
      if (this.#closing.signal.aborted) return
      this.#deps.log.warn('mesh-peer-not-written', { error: toAbzuError(error) })
    })
  }

  async #dial(): Promise<void> {
    const { transport, clock } = this.#deps
    const nowMs = clock.monotonicMs()
    const connected = (await transport.mesh.connected()).length
    const due = [...this.#candidates.values()]
      .filter(({ peerId, notBeforeMs }) => notBeforeMs <= nowMs && !transport.isConnected(peerId))
      .toSorted((a, b) => a.failures - b.failures || b.seenHours - a.seenHours)
      .slice(0, Math.max(0, wantedPeers - connected))
    await inParallel(due, dialsAtOnce, async (candidate) => this.#try(candidate))
  }

  async #try(candidate: Candidate): Promise<void> {
    const { transport, clock, scheduler, log } = this.#deps
    for (const address of candidate.addresses) {
      try {
        await withDeadline(scheduler, this.#patience, async (signal) =>
          transport.connect(address, signal),
        )
        candidate.failures = 0
        return
      } catch (error) {
        if (this.#closing.signal.aborted) return
        const reason = isAbzuError(error) ? error : undefined
        log.debug('mesh-peer-not-reached', { peer: candidate.peerId, error: reason })
      }
    }
    candidate.failures++
    const pauseMs = Math.min(retryMsMax, retryMinMs * 2 ** Math.min(candidate.failures, 20))
    candidate.notBeforeMs = clock.monotonicMs() + pauseMs
  }

  /** Until the next upkeep. */
  #pauseMs(): number {
    const nowMs = this.#deps.clock.monotonicMs()
    const fraction = (this.#deps.random(1)[0] as number) / 255
    const waits = [...this.#candidates.values()]
      .filter(({ peerId }) => !this.#deps.transport.isConnected(peerId))
      .map(({ notBeforeMs }) => notBeforeMs - nowMs)
    const nextMs = Math.max(retryMinMs, Math.min(upkeepMs, this.#lookAtMs - nowMs, ...waits))
    return nextMs * (0.8 + 0.4 * fraction)
  }
}
