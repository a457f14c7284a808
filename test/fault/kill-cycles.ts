/**
 * Kills a receiving daemon with SIGKILL at random moments while a sender writes to it, and then asks
 * whether every message that was ever called delivered is there, once.
 * @module
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { AbzuClient } from '../../src/surface/client/client.ts'
import { introduce, KillableDaemon, newAccount, readInbox, unlock } from '../support/killable.ts'

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

/** Runs the cycles in temporary directories, which it removes, with processes that it ends. */
export async function runKillCycles({ cycles, random, tell }: KillInit): Promise<KillReport> {
  const root = await mkdtemp(join(tmpdir(), 'abzu-kill-'))
  const sender = new KillableDaemon(await mkdtemp(join(root, 'a')))
  const receiver = new KillableDaemon(await mkdtemp(join(root, 'b')))
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
