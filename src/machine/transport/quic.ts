/**
 * QUIC beside TCP, where its native binding loads. What the library leaves open is closed here: a dial that
 * ignores signals, and a listener that waits for one handshake after the other.
 * @see docs/adr/0009-tcp-before-quic.md
 * @module
 */

import type { quic, QuicOptions } from '@chainsafe/libp2p-quic'
import { setMaxListeners, type Listener, type Transport } from '@libp2p/interface'
import type { Scheduler } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { withTimeout } from '../../base/util/wait.ts'
import { withLongReads } from './quic-reads.ts'
import type { TransportLimits } from './transport-limits.ts'

type TransportFactory = ReturnType<typeof quic>

export type ImportQuic = () => Promise<{ readonly quic: typeof quic }>

/** What the library's listener has beside a listener's own. */
interface QuicListener extends Listener {
  readonly state: { readonly controller?: AbortController }
  /** Takes inbound connections, one handshake after the other, until the listener is closed. */
  awaitInboundConnections(): Promise<void>
}

export interface QuicDeps {
  readonly limits: TransportLimits
  readonly scheduler: Scheduler
  readonly log: Log
  /** Rejects where the machine has no binding. */
  readonly importQuic?: ImportQuic | undefined
}

/** A maker of the transport; or none, with a warning in the log, where this machine has no QUIC. */
export async function loadQuic({
  limits,
  scheduler,
  log,
  importQuic = async () => import('@chainsafe/libp2p-quic'),
}: QuicDeps): Promise<TransportFactory | undefined> {
  try {
    const make = (await importQuic()).quic(quicOptions(limits))
    return (components) => patient(make(components), { limits, scheduler })
  } catch (error) {
    log.warn('no QUIC on this machine, TCP alone', { error: toAbzuError(error) })
    return undefined
  }
}

function quicOptions(limits: TransportLimits): Partial<QuicOptions> {
  return {
    maxIdleTimeout: limits.quicIdleMs,
    keepAliveInterval: limits.quicKeepAliveMs,
    maxConcurrentStreamLimit: limits.muxerStreamsMax,
    maxStreamData: limits.muxerWindowBytes,
    maxConnectionData: limits.quicConnectionBytes,
  }
}

function patient(
  transport: Transport,
  { limits, scheduler }: Pick<QuicDeps, 'limits' | 'scheduler'>,
): Transport {
  const dial = transport.dial.bind(transport)
  transport.dial = async (address, options) => {
    const limit = { timeoutMs: limits.quicDialMs, what: 'a dial by QUIC', signal: options.signal }
    // a connection that comes later is closed, since its upgrade sees the aborted signal
    const upgrader = withLongReads(options.upgrader)
    return withTimeout(scheduler, limit, async (signal) =>
      dial(address, { ...options, upgrader, signal }),
    )
  }
  const createListener = transport.createListener.bind(transport)
  transport.createListener = (options) => {
    const upgrader = withLongReads(options.upgrader)
    return accepting(createListener({ ...options, upgrader }) as QuicListener, limits)
  }
  return transport
}

/** `listener`, which shakes hands with many at a time: one peer that stays silent would hold up all others. */
function accepting(listener: QuicListener, limits: TransportLimits): Listener {
  const listen = listener.listen.bind(listener)
  listener.listen = async (address) => {
    await listen(address)
    const { controller } = listener.state
    if (controller) setMaxListeners(Infinity, controller.signal)
    for (let n = 1; n < limits.quicHandshakesMax; n++) void listener.awaitInboundConnections()
  }
  return listener
}
