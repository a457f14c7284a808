/**
 * Keeps chosen peers connected, for ever. libp2p's own keep-alive gives up after a few failures and then
 * forgets whom it kept.
 * @module
 */

import type { PeerId } from '../../base/util/brand.ts'
import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface ReconnectorDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Pick<Scheduler, 'after'>
  readonly random: (length: number) => Uint8Array
  readonly log: Log
  readonly limits: Pick<TransportLimits, 'keptPeersMax' | 'reconnectMinMs' | 'reconnectMaxMs'>
  /** Resolves when the peer is connected. */
  readonly dial: (
    peerId: PeerId,
    addresses: readonly string[],
    signal: AbortSignal,
  ) => Promise<unknown>
  readonly isConnected: (peerId: PeerId) => boolean
}

interface KeptPeer {
  addresses: readonly string[]
  /** Dials and short connections since the last lasting connection. */
  failures: number
  /** Monotonic, ms; undefined while not connected. */
  connectedAtMs: number | undefined
  isDialling: boolean
  cancel: Cancel | undefined
}

export class Reconnector {
  readonly #deps: ReconnectorDeps
  readonly #kept = new Map<PeerId, KeptPeer>()
  readonly #closing = new AbortController()

  constructor(deps: ReconnectorDeps) {
    this.#deps = deps
  }

  isKept(peerId: PeerId): boolean {
    return this.#kept.has(peerId)
  }

  /** Dials at once, unless connected, and again whenever it is needed.
   *  @throws {AbzuError} ABZU_OVERLOADED */
  keep(peerId: PeerId, addresses: readonly string[]): void {
    const peer: KeptPeer = this.#kept.get(peerId) ?? {
      addresses,
      failures: 0,
      connectedAtMs: undefined,
      isDialling: false,
      cancel: undefined,
    }
    if (!this.#kept.has(peerId) && this.#kept.size >= this.#deps.limits.keptPeersMax) {
      throw new AbzuError('ABZU_OVERLOADED', 'too many peers are kept connected')
    }
    peer.addresses = addresses
    peer.failures = 0
    this.#kept.set(peerId, peer)
    if (this.#deps.isConnected(peerId)) this.connected(peerId)
    else this.#dialAfter(peerId, peer, 0)
  }

  release(peerId: PeerId): void {
    this.#kept.get(peerId)?.cancel?.()
    this.#kept.delete(peerId)
  }

  /** The peer is connected, whoever dialled. */
  connected(peerId: PeerId): void {
    const peer = this.#kept.get(peerId)
    if (!peer) return
    peer.cancel?.()
    peer.connectedAtMs ??= this.#deps.clock.monotonicMs()
  }

  /** The peer's last connection is gone. */
  lost(peerId: PeerId): void {
    const peer = this.#kept.get(peerId)
    if (!peer || this.#closing.signal.aborted) return
    const { clock, limits } = this.#deps
    // only a connection that lasted says that dialling again at once makes sense
    const livedMs = clock.monotonicMs() - (peer.connectedAtMs ?? clock.monotonicMs())
    if (livedMs >= limits.reconnectMaxMs) peer.failures = 0
    peer.connectedAtMs = undefined
    this.#retry(peerId, peer)
  }

  close(): void {
    this.#closing.abort(new AbzuError('ABZU_CLOSED', 'closing'))
    for (const peerId of this.#kept.keys()) this.release(peerId)
  }

  #retry(peerId: PeerId, peer: KeptPeer): void {
    this.#dialAfter(peerId, peer, pauseMs(peer.failures, this.#deps))
    peer.failures++
  }

  #dialAfter(peerId: PeerId, peer: KeptPeer, delayMs: number): void {
    peer.cancel?.()
    if (peer.addresses.length === 0) return
    peer.cancel = this.#deps.scheduler.after(delayMs, () => void this.#dial(peerId, peer))
  }

  async #dial(peerId: PeerId, peer: KeptPeer): Promise<void> {
    const { dial, isConnected, log } = this.#deps
    if (peer.isDialling || isConnected(peerId)) return
    peer.isDialling = true
    try {
      await dial(peerId, peer.addresses, this.#closing.signal)
    } catch (error) {
      log.debug('kept peer not reached', { peer: peerId, error: toAbzuError(error) })
    }
    peer.isDialling = false
    const isCurrent = this.#kept.get(peerId) === peer && !this.#closing.signal.aborted
    if (isCurrent && !isConnected(peerId)) this.#retry(peerId, peer)
  }
}

/** The pause before the next dial after `failures` of them: doubles up to the maximum, of which a random half
 *  is left off, so that a mesh that lost its power does not dial in step. */
function pauseMs(failures: number, { limits, random }: ReconnectorDeps): number {
  const { reconnectMinMs, reconnectMaxMs } = limits
  const fullMs = Math.min(reconnectMaxMs, reconnectMinMs * 2 ** Math.min(failures, 30))
  const fraction = (random(1)[0] as number) / 256
  return fullMs * (1 - fraction / 2)
}
