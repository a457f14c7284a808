/**
 * Finds nodes on the local network by mDNS, and lets them find this one. Peer id and private addresses
 * go out in clear, and anyone on the network can answer with anything: what comes back is a hint.
 * @module
 */

import { mdns } from '@libp2p/mdns'
import type { PeerDiscovery, PeerInfo, Startable } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import type { Log } from '../../base/util/log.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { addressScope, type AddressScope } from './address-scope.ts'
import { dialAddressesOf } from './addresses.ts'
import { libp2pLog } from './libp2p-log.ts'

export interface LanDiscoveryInit {
  /** Where this node listens now, with its peer id. */
  readonly listening: () => readonly string[]
  /** Told of each answer that makes sense; the same peer many times. Must not throw. */
  readonly found: (peerId: PeerId, addresses: readonly string[]) => void
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
  /** What only nodes of this service answer to.
   *  @default _abzu._udp.local on UDP port 5353, asked each 10 s */
  readonly service?: { readonly tag: string; readonly port: number; readonly intervalMs: number }
}

const abzuService = { tag: '_abzu._udp.local', port: 5353, intervalMs: 10_000 }
/** Answers that are looked at; a household sends one a node each interval. */
const hintRate = { perSecond: 20, burst: 100 }
/** Questions that are answered: one answer reaches all who ask. */
const answerRate = { perSecond: 5, burst: 10 }

export class LanDiscovery {
  readonly #init: LanDiscoveryInit
  readonly #hints: RateLimiter
  readonly #answers: RateLimiter
  #running: (PeerDiscovery & Startable) | undefined

  constructor(init: LanDiscoveryInit) {
    const { clock } = init
    this.#init = init
    this.#hints = new RateLimiter({ rate: hintRate, keysMax: 1, clock })
    this.#answers = new RateLimiter({ rate: answerRate, keysMax: 1, clock })
  }

  /** Asks now and again. Where the network takes no multicast, nothing is sent and nothing fails. */
  async start(): Promise<void> {
    if (this.#running) return
    const { service = abzuService, log } = this.#init
    const discovery = mdns({
      serviceTag: service.tag,
      port: service.port,
      interval: service.intervalMs,
    })({
      logger: libp2pLog(log),
      // all that the library asks of it
      addressManager: { getAddresses: () => this.#offered() } as never,
    }) as PeerDiscovery & Startable
    discovery.addEventListener('peer', ({ detail }) => this.#take(detail))
    this.#running = discovery
    await discovery.start()
  }

  /** Begins anew after the network has changed: a membership ends with its interface. */
  async restart(): Promise<void> {
    if (!this.#running) return
    await this.close()
    await this.start()
  }

  async close(): Promise<void> {
    const discovery = this.#running
    this.#running = undefined
    await discovery?.stop()
  }

  /** The scope of what is said and believed: a node that only its own machine reaches looks for others there. */
  #scope(): AddressScope {
    const isAlone = this.#init.listening().every((one) => addressScope(one) === 'loopback')
    return isAlone ? 'loopback' : 'lan'
  }

  #offered(): Multiaddr[] {
    if (this.#answers.take('') > 0) return []
    const scope = this.#scope()
    return this.#init
      .listening()
      .filter((address) => addressScope(address) === scope)
      .slice(0, wireLimits.addressesMax)
      .map((address) => multiaddr(address))
  }

  #take({ id, multiaddrs }: PeerInfo): void {
    if (this.#hints.take('') > 0) return
    const peerId = id.toString() as PeerId
    const texts = multiaddrs
      .slice(0, wireLimits.addressesMax)
      .map((address) => `${address.toString()}/p2p/${peerId}`)
    const scope = this.#scope()
    // nobody on the network makes this node look up names, or dial the world or its own services
    const near = dialAddressesOf(peerId, texts).filter((one) => addressScope(one) === scope)
    if (near.length > 0) this.#init.found(peerId, near)
  }
}
