/** Dials, one shared dial a peer at a time. @module */

import type { Connection, Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '../../base/util/brand.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import { withTimeout } from '../../base/util/wait.ts'
import { raceSignal } from './race-signal.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface DialerDeps {
  readonly libp2p: Pick<Libp2p, 'dial' | 'getConnections'>
  readonly scheduler: Scheduler
  readonly limits: Pick<TransportLimits, 'dialMs' | 'dialAddressesMax' | 'connectionsMax'>
}

interface Dial {
  readonly addresses: ReadonlySet<string>
  readonly connection: Promise<Connection>
}

export class Dialer {
  readonly #deps: DialerDeps
  readonly #dials = new Map<PeerId, Dial>()

  constructor(deps: DialerDeps) {
    this.#deps = deps
  }

  isDialling(peerId: PeerId): boolean {
    return this.#dials.has(peerId)
  }

  /** Connects to `peerId`. Who asks while a dial of it runs waits for that one, and dials again where it failed
   *  at other addresses than theirs. A signal ends the waiting, not the dial.
   *  @throws {AbzuError} ABZU_UNREACHABLE, ABZU_OVERLOADED; the signal's reason */
  async dial(
    peerId: PeerId,
    addresses: readonly string[],
    signal?: AbortSignal,
  ): Promise<Connection> {
    const running = this.#dials.get(peerId)
    if (!running) return raceSignal(this.#start(peerId, addresses).connection, signal)
    try {
      return await raceSignal(running.connection, signal)
    } catch (error) {
      signal?.throwIfAborted()
      const isTried = addresses.every((address) => running.addresses.has(address))
      if (isTried || isAbzuError(error, 'ABZU_OVERLOADED')) throw error
      return this.dial(peerId, addresses, signal)
    }
  }

  #start(peerId: PeerId, addresses: readonly string[]): Dial {
    const tried = addresses.slice(0, this.#deps.limits.dialAddressesMax)
    const connection = this.#connect(peerId, tried).finally(() => this.#dials.delete(peerId))
    // whoever waits may have gone
    connection.catch(() => undefined)
    const dial = { addresses: new Set(addresses), connection }
    this.#dials.set(peerId, dial)
    return dial
  }

  async #connect(peerId: PeerId, addresses: readonly string[]): Promise<Connection> {
    const { libp2p, scheduler, limits } = this.#deps
    if (addresses.length === 0) throw unreachable(peerId, 'no address is known')
    if (libp2p.getConnections().length >= limits.connectionsMax) {
      throw new AbzuError('ABZU_OVERLOADED', 'too many connections')
    }
    const limit = { timeoutMs: limits.dialMs, what: `dialling ${peerId}` }
    try {
      return await withTimeout(scheduler, limit, async (signal) =>
        libp2p.dial(
          addresses.map((address) => multiaddr(address)),
          { signal },
        ),
      )
    } catch (cause) {
      throw unreachable(peerId, 'no address answers', cause)
    }
  }
}

export function unreachable(peerId: PeerId, why: string, cause?: unknown): AbzuError {
  return new AbzuError('ABZU_UNREACHABLE', `${peerId} cannot be reached: ${why}`, { cause })
}
