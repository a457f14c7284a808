/**
 * Longer reads of QUIC streams. The library asks its native side for 4 KiB at a time; each time costs a change
 * of threads, which for a stream of letters is more than all else. Here a read grows while the peer fills it.
 * @see docs/adr/0009-tcp-before-quic.md
 * @module
 */

import type { Upgrader, UpgraderOptions } from '@libp2p/interface'

/** What is asked of a stream that has little to give: a waiting read may hold as much memory. */
const readBytesMin = 4096
const readBytesMax = 16_384

/** A stream of the native side, as the library's own reads it. */
interface NativeStream {
  /** At most `bytesMax` of what has come, at least 1 byte; nothing after the end. */
  read(bytesMax: number): Promise<Uint8Array | null>
}

interface NativeConnection {
  inboundStream(): Promise<NativeStream>
  outboundStream(): Promise<NativeStream>
}

/** What the library's muxer factory has beside a factory's own. */
interface QuicMuxerFactory {
  readonly init: { readonly connection: NativeConnection }
}

/** `upgrader`, for connections of QUIC alone. */
export function withLongReads(upgrader: Upgrader): Upgrader {
  return {
    async upgradeInbound(connection, options) {
      lengthenAll(options)
      return upgrader.upgradeInbound(connection, options)
    },
    async upgradeOutbound(connection, options) {
      lengthenAll(options)
      return upgrader.upgradeOutbound(connection, options)
    },
    createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
    getStreamMuxers: () => upgrader.getStreamMuxers(),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
  }
}

function lengthenAll({ muxerFactory }: Pick<UpgraderOptions, 'muxerFactory'>): void {
  const { connection } = (muxerFactory as unknown as QuicMuxerFactory).init
  for (const way of ['inboundStream', 'outboundStream'] as const) {
    const open = connection[way].bind(connection)
    connection[way] = async () => lengthened(await open())
  }
}

function lengthened(stream: NativeStream): NativeStream {
  const read = stream.read.bind(stream)
  let bytesMax = readBytesMin
  stream.read = async () => {
    const asked = bytesMax
    const chunk = await read(asked)
    if (!chunk) return chunk
    if (chunk.length === asked) bytesMax = Math.min(2 * asked, readBytesMax)
    else if (2 * chunk.length < asked) bytesMax = Math.max(asked / 2, readBytesMin)
    // a small part of what was asked for must not keep the whole in memory
    return 4 * chunk.length < asked ? new Uint8Array(chunk) : chunk
  }
  return stream
}
