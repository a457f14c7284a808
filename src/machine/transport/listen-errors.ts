/** Why libp2p could not listen: it reports all failures as one text, and tolerates some. @module */

import type { Listener, Transport } from '@libp2p/interface'
import { AbzuError } from '../../base/util/errors.ts'

export interface ListenFailure {
  /** A multiaddr. */
  readonly place: string
  readonly cause: unknown
}

/** `transport`, whose listeners add to `failures` why they could not listen. */
export function recordingListenErrors(transport: Transport, failures: ListenFailure[]): Transport {
  const createListener = transport.createListener.bind(transport)
  transport.createListener = (options) => {
    const listener: Listener = createListener(options)
    const listen = listener.listen.bind(listener)
    listener.listen = async (address) => {
      try {
        await listen(address)
      } catch (error) {
        failures.push({ place: address.toString(), cause: error })
        throw error
      }
    }
    return listener
  }
  return transport
}

/** What Linux, macOS and Windows call a port in use: the QUIC library tells it in a text alone. */
const inUse = /\(os error (?:98|48|10048)\)/

/** ABZU_PORT_IN_USE, or ABZU_CONFIG_INVALID for a place that this machine does not have. */
export function listenError({ place, cause }: ListenFailure): AbzuError {
  const { code, message } = cause as { code?: string; message?: string }
  if (code === 'EADDRINUSE' || inUse.test(message ?? '')) {
    return new AbzuError('ABZU_PORT_IN_USE', `something else listens at ${place}`, { cause })
  }
  return new AbzuError('ABZU_CONFIG_INVALID', `cannot listen at ${place}`, { cause })
}
