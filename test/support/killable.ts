/** Daemons that a test kills at any moment, and what it does with them meanwhile. @module */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { AbzuClient } from '../../src/surface/client/client.ts'

const executable = new URL('../../bin/abzu.js', import.meta.url).pathname
const daemonFlags = [
  '--disable-sigusr1',
  '--report-exclude-env',
  '--max-semi-space-size=4',
  '--heap-growing-percent=70',
]
/** Of every account. */
export const password = 'a password that nobody guesses'
/** Cheap to unlock, no limit in the way: what is tested is durability. */
const unlimited = { perSecond: 100_000, burst: 100_000 }
const config = {
  logLevel: 'error',
  limits: {
    mailbox: {
      requestItemsMax: 1_000_000,
      requestBytesMax: 16_000_000_000,
      accountInbound: unlimited,
      peerInbound: unlimited,
      nodeInbound: unlimited,
      accountOutbound: { perSecond: 50_000, burst: 100_000 },
      peerOutbound: unlimited,
      nodeOutbound: unlimited,
      outboxItemsMax: 1_000_000,
    },
  },
}

/** A daemon in a process of its own, at a directory that is there. */
export class KillableDaemon {
  readonly home: string
  #child: ChildProcess | undefined
  #port = 0

  constructor(home: string) {
    this.home = home
  }

  get client(): AbzuClient {
    return new AbzuClient({ socketPath: join(this.home, 'api.sock') })
  }

  /** Resolves with the addresses once the daemon is ready. */
  async start(): Promise<string[]> {
    await writeFile(join(this.home, 'config.json'), JSON.stringify(config))
    const flags = ['start', '--tcp', `127.0.0.1:${this.#port}`, '--no-lan', '--log-json']
    const child = spawn(process.execPath, [...daemonFlags, executable, ...flags], {
      // as the executable itself hands over: the daemon does not outlive this process
      env: { ...process.env, ABZU_HOME: this.home, ABZU_PARENT_PID: String(process.pid) },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    this.#child = child
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      const { addresses } = JSON.parse(line) as { addresses: string[] }
      this.#port = Number(addresses[0]?.split('/')[4])
      return addresses
    }
    throw new Error('the daemon ended before it was ready')
  }

  /** Resolves when it has ended by itself. */
  async gone(): Promise<void> {
    const child = this.#child
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
}

/** A new account, as its own client, whose calls nothing slows down. */
export async function newAccount(daemon: KillableDaemon, name: string): Promise<AbzuClient> {
  await daemon.client.changeLimits({ role: 'admin', limits: { calls: unlimited } })
  await daemon.client.changeLimits({ node: true, limits: { calls: unlimited } })
  const { token } = await daemon.client.createAccount({ name, role: 'admin', password })
  return daemon.client.withSession(token)
}

/** A request holds a few hundred messages only; the load is to be a contact's. */
export async function introduce(from: AbzuClient, to: AbzuClient): Promise<void> {
  await from.addContact({ link: await to.createLink({}), as: 'friend' })
  await from.send({ to: 'friend', text: 'first', waitMs: 10_000 })
  for await (const { from: id } of to.inbox()) await to.addContact({ link: id, as: 'sender' })
}

/** The account `recipient`, as its own client. */
export async function unlock(daemon: KillableDaemon): Promise<AbzuClient> {
  const { token } = await daemon.client.unlock({ account: 'recipient', password })
  return daemon.client.withSession(token)
}

/** How often each text is shown. */
export async function readInbox(client: AbzuClient): Promise<Map<string, number>> {
  const shown = new Map<string, number>()
  for await (const { text } of client.inbox()) shown.set(text, (shown.get(text) ?? 0) + 1)
  return shown
}
