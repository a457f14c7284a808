import { lstat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { withTimeout } from '../../base/util/wait.ts'

export interface SocketInit {
  readonly path: string
  readonly scheduler: Scheduler
}

/** For an old socket to say whether somebody lives behind it. */
const knockMs = 2000

/** Makes `server` listen on a Unix socket with mode 0600. A socket that a dead daemon left behind is
 *  replaced; one that answers is not, and no other kind of file is.
 *  @throws {AbzuError} ABZU_HOME_IN_USE, ABZU_IO */
export async function listenOnSocket(server: Server, init: SocketInit): Promise<void> {
  await removeDeadSocket(init)
  const { path } = init
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.once('listening', () => {
        server.removeListener('error', reject)
        resolve()
      })
      // bound within this turn, so the umask holds for nothing else
      const umask = process.umask(0o177)
      try {
        server.listen({ path })
      } finally {
        process.umask(umask)
      }
    })
  } catch (cause) {
    if (systemCode(cause) === 'EADDRINUSE') throw inUse(path)
    throw new AbzuError('ABZU_IO', `cannot listen on ${path}`, { cause })
  }
}

async function removeDeadSocket(init: SocketInit): Promise<void> {
  const { path } = init
  try {
    if (!(await lstat(path)).isSocket()) {
      throw new AbzuError('ABZU_IO', `${path} is there and is no socket: move it away`)
    }
    if (await answers(init)) throw inUse(path)
    await unlink(path)
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return
    if (cause instanceof AbzuError) throw cause
    throw new AbzuError('ABZU_IO', `cannot replace ${path}`, { cause })
  }
}

async function answers({ path, scheduler }: SocketInit): Promise<boolean> {
  const socket = connect({ path })
  try {
    await withTimeout(scheduler, { timeoutMs: knockMs, what: path }, async () => {
      await new Promise((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('error', reject)
      })
    })
    return true
  } catch (error) {
    if (systemCode(error) === 'ECONNREFUSED') return false
    throw error
  } finally {
    socket.destroy()
  }
}

function inUse(path: string): AbzuError {
  return new AbzuError('ABZU_HOME_IN_USE', `another daemon answers at ${path}`)
}

function systemCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
