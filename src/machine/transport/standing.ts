/**
 * Who stands ill with this node: a peer that breaks the rules again and again is shut out for a while, and so
 * are its neighbours of the network when new names come from there. Time heals all of it.
 * @module
 */

import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import type { ErrorCode } from '../../base/util/errors.ts'
import { RateLimiter, type Rate } from '../../base/util/gcra.ts'
import { setNewest } from '../../base/util/newest.ts'
import { neighbourOf } from './addresses.ts'
import type { TransportLimits } from './transport-limits.ts'

/** What no honest peer makes this node say. */
const violations: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ABZU_PROTOCOL_VIOLATION',
  'ABZU_MALFORMED',
  'ABZU_TOO_LARGE',
])

/** Whether an error that this node found is the peer's fault. */
export function isViolation(code: ErrorCode): boolean {
  return violations.has(code)
}

export interface StandingDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly limits: Pick<
    TransportLimits,
    | 'peerViolations'
    | 'addressViolations'
    | 'shutOutMinMs'
    | 'shutOutMaxMs'
    | 'shutOutForgetMs'
    | 'standingsMax'
  >
  /** Whether this node keeps itself connected to a peer. */
  readonly isKept: (peerId: PeerId) => boolean
}

/** A peer id and a multiaddr that it speaks from. */
export interface Speaker {
  readonly peerId: PeerId
  readonly address: string
}

export class Standing {
  readonly #isKept: StandingDeps['isKept']
  readonly #peers: ShutOuts
  readonly #neighbours: ShutOuts

  constructor({ clock, limits, isKept }: StandingDeps) {
    this.#isKept = isKept
    this.#peers = new ShutOuts({ clock, limits, rate: limits.peerViolations })
    this.#neighbours = new ShutOuts({ clock, limits, rate: limits.addressViolations })
  }

  /** Counts one violation. True where it was one too many. A kept peer's address is not blamed, and its own
   *  time never grows: it is the owner who ends that acquaintance. */
  violated({ peerId, address }: Speaker): boolean {
    const isKept = this.#isKept(peerId)
    if (!isKept) this.#neighbours.blame(neighbourOf(address), 'grows')
    return this.#peers.blame(peerId, isKept ? 'stays' : 'grows')
  }

  isShutOut({ peerId, address }: Speaker): boolean {
    if (this.#peers.isShut(peerId)) return true
    return !this.#isKept(peerId) && this.#neighbours.isShut(neighbourOf(address))
  }
}

interface ShutOutsInit extends Pick<StandingDeps, 'clock' | 'limits'> {
  readonly rate: Rate
}

/** A bounded table of who is shut out until when. */
class ShutOuts {
  readonly #init: ShutOutsInit
  /** What was done lately; each violation takes from it, time gives it back. */
  readonly #patience: RateLimiter
  /** Insertion order is the order of the last shutting out. */
  readonly #shut = new Map<string, { untilMs: number; times: number }>()

  constructor(init: ShutOutsInit) {
    this.#init = init
    const { rate, clock, limits } = init
    this.#patience = new RateLimiter({ rate, clock, keysMax: limits.standingsMax })
  }

  isShut(key: string): boolean {
    const shut = this.#shut.get(key)
    return shut !== undefined && this.#init.clock.monotonicMs() < shut.untilMs
  }

  /** Takes one off the patience with `key`; where none is left, shuts it out, for twice as long as the last
   *  time where the time `grows`. */
  blame(key: string, time: 'grows' | 'stays'): boolean {
    if (this.#patience.take(key) === 0) return this.isShut(key)
    if (this.isShut(key)) return true
    const { clock, limits } = this.#init
    const nowMs = clock.monotonicMs()
    const last = this.#shut.get(key)
    const isRecent = last !== undefined && nowMs < last.untilMs + limits.shutOutForgetMs
    const times = isRecent && time === 'grows' ? last.times + 1 : 0
    const shutMs = Math.min(limits.shutOutMaxMs, limits.shutOutMinMs * 2 ** Math.min(times, 30))
    setNewest(this.#shut, [key, { untilMs: nowMs + shutMs, times }], limits.standingsMax)
    return true
  }
}
