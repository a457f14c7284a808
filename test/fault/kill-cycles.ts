/**
 * Kills a receiving daemon with SIGKILL at random moments while a sender writes to it, and then asks
 * whether every message that was ever called delivered is there, once.
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { AbzuClient } from '../../src/surface/client/client.ts'

export interface KillReport {
  readonly cycles: number
  /** Kills while at least one message was on its way. */
  readonly killedUnderLoad: number
  readonly sent: number
  readonly delivered: number
  /** Called delivered, and not there. */
  readonly lost: string[]
  /** There more than once. */
  readonly doubled: string[]
}

export interface KillInit {
  readonly cycles: number
  /** 0 to 1; the moments of the kills follow from it. */
  readonly random: () => number
  readonly tell?: (line: string) => void
}

const executable = new URL('../../bin/abzu.js', import.meta.url).pathname
const daemonFlags = ['--disable-sigusr1', '--report-exclude-env', '--max-semi-space-size=4']
const password = 'a password that nobody guesses'
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

class Daemon {
  readonly home: string
  #child: ChildProcess | undefined

  constructor(home: string) {
    this.home = home
  }

  get client(): AbzuClient {
    return new AbzuClient({ socketPath: join(this.home, 'api.sock') })
  }

  /** Resolves with the addresses once the daemon is ready. */
  async start(): Promise<string[]> {
    await writeFile(join(this.home, 'config.json'), JSON.stringify(config))
    const flags = ['start', '--tcp', '127.0.0.1:0', '--no-lan', '--log-json']
    const child = spawn(process.execPath, [...daemonFlags, executable, ...flags], {
      // as the executable itself hands over: the daemon does not outlive this process
      env: { ...process.env, ABZU_HOME: this.home, ABZU_PARENT_PID: String(process.pid) },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    this.#child = child
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      return (JSON.parse(line) as { addresses: string[] }).addresses
    }
    throw new Error('the daemon ended before it was ready')
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
}

/** Runs the cycles in temporary directories, which it removes, with processes that it ends. */
export async function runKillCycles({ cycles, random, tell }: KillInit): Promise<KillReport> {
  const root = await mkdtemp(join(tmpdir(), 'abzu-kill-'))
  const sender = new Daemon(await mkdtemp(join(root, 'a')))
  const receiver = new Daemon(await mkdtemp(join(root, 'b')))
  try {
    await Promise.all([sender.start(), receiver.start()])
    const from = await newAccount(sender, 'sender')
    const to = await newAccount(receiver, 'recipient')
    await introduce(from, to)

    const load = new Load(from)
    load.start()
    let killedUnderLoad = 0
    for (let cycle = 0; cycle < cycles; cycle++) {
      await pause(20 + random() * 200)
      await receiver.kill()
      if (load.waiting > 0) killedUnderLoad++
      await receiver.start()
      if (random() < 0.3) await unlock(receiver)
      if (cycle % 50 === 49) tell?.(`${cycle + 1} kills, ${load.texts.size} messages`)
    }
    await load.stop()
    const states = await load.settle()
    const shown = await readInbox(await unlock(receiver))
    const delivered = [...states].filter(([, state]) => state === 'delivered')
    return {
      cycles,
      killedUnderLoad,
      sent: states.size,
      delivered: delivered.length,
      lost: delivered.map(([text]) => text).filter((text) => !shown.has(text)),
      doubled: [...shown].filter(([, count]) => count > 1).map(([text]) => text),
    }
  } finally {
    await Promise.all([sender.kill(), receiver.kill()])
    await rm(root, { recursive: true, force: true })
  }
}

async function newAccount(daemon: Daemon, name: string): Promise<AbzuClient> {
  const { token } = await daemon.client.createAccount({ name, role: 'admin', password })
  return daemon.client.withSession(token)
}

/** A request holds a few hundred messages only; the load is to be a contact's. */
async function introduce(from: AbzuClient, to: AbzuClient): Promise<void> {
  await from.addContact({ link: await to.createLink({}), as: 'friend' })
  await from.send({ to: 'friend', text: 'first', waitMs: 10_000 })
  for await (const { from: id } of to.inbox()) await to.addContact({ link: id, as: 'sender' })
}

async function unlock(daemon: Daemon): Promise<AbzuClient> {
  const { token } = await daemon.client.unlock({ account: 'recipient', password })
  return daemon.client.withSession(token)
}

/** How often each text is shown. */
async function readInbox(client: AbzuClient): Promise<Map<string, number>> {
  const shown = new Map<string, number>()
  for await (const { text } of client.inbox()) shown.set(text, (shown.get(text) ?? 0) + 1)
  return shown
}

/** Keeps a few messages on their way until it is stopped. */
class Load {
  readonly #client: AbzuClient
  /** Message id to its text. */
  readonly texts = new Map<string, string>()
  #isRunning = false
  #workers: Promise<void>[] = []
  waiting = 0

  constructor(client: AbzuClient) {
    this.#client = client
  }

  start(): void {
    this.#isRunning = true
    this.#workers = Array.from({ length: 8 }, async (_, worker) => this.#work(worker))
  }

  async #work(worker: number): Promise<void> {
    for (let n = 0; this.#isRunning; n++) {
      const text = `message ${worker}/${n}`
      this.waiting++
      const { msgId } = await this.#client.send({ to: 'friend', text, waitMs: 250 })
      this.waiting--
      this.texts.set(msgId, text)
    }
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    await Promise.all(this.#workers)
  }

  /** The states of all texts, once none is queued; two minutes at most. */
  async settle(): Promise<Map<string, string>> {
    const states = new Map<string, string>()
    for (let attempt = 0; attempt < 240; attempt++) {
      for (const [msgId, text] of this.texts) {
        if (states.get(text) === 'delivered') continue
        states.set(text, (await this.#client.message(msgId)).state)
      }
      if ([...states.values()].every((state) => state === 'delivered')) return states
      await pause(500)
    }
    return states
  }
}
