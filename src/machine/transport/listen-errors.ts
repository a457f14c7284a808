/** Why libp2p could not listen: it reports all failures as one text, and tolerates some. @module */

import type { Listener, Transport } from '@libp2p/interface'
import { AbzuError } from '../../base/util/errors.ts'

/** `transport`, whose listeners add to `errors` why they could not listen. */
export function recordingListenErrors(transport: Transport, errors: unknown[]): Transport {
  const createListener = transport.createListener.bind(transport)
  transport.createListener = (options) => {
    const listener: Listener = createListener(options)
    const listen = listener.listen.bind(listener)
    listener.listen = async (address) => {
      try {
        await listen(address)
      } catch (error) {
        errors.push(error)
        throw error
      }
    }
    return listener
  }
  return transport
}

/** ABZU_PORT_IN_USE, or ABZU_CONFIG_INVALID for a place that this machine does not have. */
export function listenError(cause: unknown): AbzuError {
  const { code, address, port } = cause as { code?: string; address?: string; port?: number }
  const place = `${address}, port ${port}`
  if (code === 'EADDRINUSE') {
    return new AbzuError('ABZU_PORT_IN_USE', `something else listens at ${place}`, { cause })
  }
  return new AbzuError('ABZU_CONFIG_INVALID', `cannot listen at ${place}: ${code}`, { cause })
}
