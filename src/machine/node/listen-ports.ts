/**
 * Keeps the port that the system chose for a listener on port 0: contacts hold this node's addresses, so
 * a restart should not change them.
 * @module
 */

import type { Table } from '../../base/store/table.ts'
import { fromUtf8, utf8 } from '../../base/util/bytes.ts'
import { carrierOf, type Carrier } from '../transport/addresses.ts'

const anyPort = ':0'

function rowKey(carrier: Carrier, listener: string): Uint8Array {
  return utf8(`listen-port/${carrier === 'tcp' ? '' : `${carrier}/`}${listener}`)
}

export class ListenPorts {
  readonly #settings: Table

  constructor(settings: Table) {
    this.#settings = settings
  }

  /** `listeners` ('host:port') with each port 0 replaced by the one it had last. */
  recall(carrier: Carrier, listeners: readonly string[]): string[] {
    return listeners.map((listener) => {
      const row = listener.endsWith(anyPort) && this.#settings.get(rowKey(carrier, listener))
      const port = row ? fromUtf8(row) : undefined
      return port ? listener.slice(0, -anyPort.length) + `:${port}` : listener
    })
  }

  /** Remembers the port of each listener on port 0. `addresses` are those that the node has now. */
  async remember(
    carrier: Carrier,
    listeners: readonly string[],
    addresses: readonly string[],
  ): Promise<void> {
    const ofCarrier = addresses.filter((address) => carrierOf(address) === carrier)
    for (const listener of listeners.filter((one) => one.endsWith(anyPort))) {
      const host = listener.slice(0, -anyPort.length).replace(/^\[|\]$/g, '')
      const isWildcard = host === '0.0.0.0' || host === '::'
      const [, port] =
        ofCarrier
          .map(
            (address) => /^\/ip[46]\/([^/]+)\/(?:tcp|udp)\/(\d+)\//.exec(address)?.slice(1) ?? [],
          )
          .find(([at]) => at === host || isWildcard) ?? []
      if (port) await this.#settings.put(rowKey(carrier, listener), utf8(port))
    }
  }
}
