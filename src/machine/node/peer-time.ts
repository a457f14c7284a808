/** Asks peers what time it is, and tells them. @see docs/protocol.md#time @module */

import type { PeerId } from '../../base/util/brand.ts'
import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { timeProtocol } from '../../base/wire/protocols.ts'
import {
  decodeTimeAnswer,
  decodeTimeRequest,
  encodeTimeAnswer,
  encodeTimeRequest,
} from '../../base/wire/time-call.ts'
import { call } from '../transport/call.ts'
import type { Transport } from '../transport/transport.ts'
import type { ClockWatch } from './clock-watch.ts'

export interface PeerTimeDeps {
  readonly transport: Pick<Transport, 'open' | 'peers' | 'watch'>
  readonly watch: Pick<ClockWatch, 'state' | 'witness' | 'watch'>
  /** Whether this node was told of the peer by its owner, or found it in the house. */
  readonly isKept: (peer: PeerId) => boolean
  readonly isNeighbour: (peer: PeerId) => boolean
  readonly clock: Pick<Clock, 'nowMs'>
  readonly scheduler: Scheduler
  readonly log: Log
}

/** How far a peer's clock is from ours. */
export interface TimeOpinion {
  readonly peer: PeerId
  /** Theirs less ours. */
  readonly differenceMs: number
}

const askedMax = 8
const askTimeoutMs = 5000
const askEveryMs = 60_000

export class PeerTime {
  readonly #deps: PeerTimeDeps
  readonly #cancels: Cancel[]
  #cancelTimer: Cancel | undefined
  #isAsking = false
  #isClosed = false

  constructor(deps: PeerTimeDeps) {
    this.#deps = deps
    const ask = () => void this.#settle()
    this.#cancels = [deps.watch.watch(ask), deps.transport.watch(ask)]
    ask()
  }

  /** Asks peers that this node has chosen: whom it keeps, and whom it dialled elsewhere than on the local
   *  network. A stranger that calls, or invents itself as a neighbour, has no say. Never rejects. */
  async ask(): Promise<TimeOpinion[]> {
    const { transport, isKept, isNeighbour } = this.#deps
    const chosen = transport
      .peers()
      .filter(
        ({ peerId, direction }) =>
          isKept(peerId) || (direction === 'outbound' && !isNeighbour(peerId)),
      )
      .map(({ peerId }) => peerId)
    const asked = [...new Set(chosen)].slice(0, askedMax)
    const opinions = await Promise.all(asked.map(async (peer) => this.#askOne(peer)))
    return opinions.filter((opinion) => opinion !== undefined)
  }

  close(): void {
    this.#isClosed = true
    for (const cancel of this.#cancels) cancel()
    this.#cancelTimer?.()
  }

  /** Asks until the time is trusted. */
  async #settle(): Promise<void> {
    if (this.#isAsking || this.#isClosed || !this.#deps.watch.state) return
    this.#isAsking = true
    this.#cancelTimer?.()
    await this.ask()
    this.#isAsking = false
    if (this.#isClosed) return
    this.#cancelTimer = this.#deps.scheduler.after(askEveryMs, () => void this.#settle())
  }

  async #askOne(peer: PeerId): Promise<TimeOpinion | undefined> {
    const { transport, watch, clock, scheduler, log } = this.#deps
    try {
      const limit = { timeoutMs: askTimeoutMs, scheduler }
      const answer = await call(transport, peer, timeProtocol, encodeTimeRequest(), limit)
      const { isSure, nowMs } = decodeTimeAnswer(answer)
      if (!isSure) return undefined
      watch.witness(peer, nowMs)
      return { peer, differenceMs: nowMs - clock.nowMs() }
    } catch (error) {
      log.debug('peer-time-unknown', { peer, error: toAbzuError(error) })
      return undefined
    }
  }
}

/** Answers one call of `/abzu/time/1.0.0`.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function timeHandler(clock: Clock): (request: Uint8Array) => Promise<Uint8Array> {
  return async (request) => {
    decodeTimeRequest(request)
    const nowMs = Math.max(0, Math.floor(clock.nowMs()))
    return encodeTimeAnswer({ isSure: clock.doubt?.() === undefined, nowMs })
  }
}
