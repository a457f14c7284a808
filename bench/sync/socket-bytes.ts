import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Counts what goes over the TCP sockets of this process from now on, as the kernel takes and gives it: handshakes,
 *  multiplexing and encryption are in it. */
export class SocketBytes {
  readonly #sockets = new Set<Socket>()
  #ended = 0

  constructor() {
    for (const name of ['net.client.socket', 'net.server.socket']) {
      diagnostics.subscribe(name, (message) => this.#watch((message as { socket: Socket }).socket))
    }
  }

  /** Both ways. */
  get total(): number {
    return Array.from(this.#sockets, bytesOf).reduce((sum, bytes) => sum + bytes, this.#ended)
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#ended += bytesOf(socket)
    })
  }
}

function bytesOf({ bytesRead, bytesWritten }: Socket): number {
  return bytesRead + bytesWritten
}
