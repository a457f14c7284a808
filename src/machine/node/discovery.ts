/** Brings everything together by which this node finds others. @module */

import type { Cancel } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { peerNamedBy } from '../../base/crypto/address.ts'
import type { LanDiscovery } from '../transport/lan-discovery.ts'
import type { Transport } from '../transport/transport.ts'
import type { MeshPeers } from './mesh-peers.ts'
import type { NetworkWatch } from './network-watch.ts'
import type { PeerBook } from './peer-book.ts'
import type { PeerCandidates } from './peer-candidates.ts'

export interface DiscoveryDeps {
  readonly transport: Pick<Transport, 'refresh'>
  readonly candidates: PeerCandidates
  readonly mesh: Pick<MeshPeers, 'wake'>
  readonly kept: Pick<PeerBook, 'wake'>
  readonly network: Pick<NetworkWatch, 'watch'>
  /** Undefined where the operator has switched it off. */
  readonly lan: Pick<LanDiscovery, 'start' | 'restart' | 'close'> | undefined
  readonly log: Log
}

export interface DiscoveryInit {
  /** Mesh addresses. */
  readonly bootstrap: readonly string[]
}

export class Discovery {
  readonly #deps: DiscoveryDeps
  readonly #init: DiscoveryInit
  readonly #cancels: Cancel[] = []

  constructor(deps: DiscoveryDeps, init: DiscoveryInit) {
    this.#deps = deps
    this.#init = init
  }

  /** Begins to look for others; the peers that are kept were dialled before. */
  async start(): Promise<void> {
    const { candidates, network, lan } = this.#deps
    for (const address of this.#init.bootstrap) {
      candidates.offer('bootstrap', peerNamedBy(address), [address])
    }
    this.#cancels.push(network.watch(() => this.#networkChanged()))
    candidates.start()
    await lan?.start()
  }

  async close(): Promise<void> {
    for (const cancel of this.#cancels) cancel()
    this.#deps.candidates.close()
    await this.#deps.lan?.close()
  }

  #networkChanged(): void {
    const { transport, kept, mesh, candidates, lan, log } = this.#deps
    transport.refresh()
    kept.wake()
    mesh.wake()
    candidates.wake()
    lan?.restart().catch((error: unknown) => {
      log.warn('lan-discovery-failed', { error: toAbzuError(error) })
    })
  }
}
