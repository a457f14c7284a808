/**
 * Where abuse is tried: two real nodes in processes of their own, of which one is attacked while the other
 * delivers sealed mail to it. An attack is a function; the arena says what it cost the attacked and the honest.
 * @module
 */

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Test } from 'tap'
import { AbzuClient } from '../../../src/surface/client/client.ts'
import { tempHome } from '../temp-home.ts'
import type { Ready, Report } from './measured-node.ts'

export interface Target {
  readonly peerId: string
  /** With the peer id. */
  readonly tcp: string
  readonly quic: string
}

export interface AbuseResult extends Report {
  /** Honest messages sent during the attack, and those of them that a receipt came for in time. */
  readonly honestSent: number
  readonly honestDelivered: number
  /** Longest of those, ms. */
  readonly honestMsMax: number
}

const script = join(import.meta.dirname, 'measured-node.ts')
/** As the executable starts a daemon. */
const daemonFlags = ['--disable-sigusr1', '--report-exclude-env', '--max-semi-space-size=4']
const password = 'a password that nobody guesses'
/** Long enough for one try again after a break. */
const honestWaitMs = 5000
/** So many honest messages on their way at a time, and a pause after each: below what one account may send. */
const honestWorkers = 4
const honestPauseMs = 100
const honestSentMin = 100

class NodeProcess {
  readonly #child: ChildProcess
  readonly ready: Ready
  readonly client: AbzuClient

  private constructor(child: ChildProcess, home: string, ready: Ready) {
    this.#child = child
    this.ready = ready
    this.client = new AbzuClient({ socketPath: join(home, 'api.sock') })
  }

  static async start(t: Test): Promise<NodeProcess> {
    const env = tempHome(t)
    const child = fork(script, {
      execArgv: daemonFlags,
      env: { PATH: process.env['PATH'], ...env },
      stdio: 'inherit',
    })
    t.teardown(async () => {
      const gone = once(child, 'exit')
      if (child.exitCode !== null || child.signalCode !== null) return
      child.disconnect()
      await gone
    })
    const failed = once(child, 'exit').then(() => {
      throw new Error('the node ended before it was ready')
    })
    const [ready] = (await Promise.race([once(child, 'message'), failed])) as [Ready]
    failed.catch(() => undefined)
    return new NodeProcess(child, env.ABZU_HOME, ready)
  }

  begin(): void {
    this.#child.send('begin')
  }

  async report(): Promise<Report> {
    this.#child.send('report')
    const [report] = (await once(this.#child, 'message')) as [Report]
    return report
  }
}

interface ArenaInit {
  readonly victim: NodeProcess
  /** Of the attacked node. */
  readonly owner: AbzuClient
  readonly friend: NodeProcess
  readonly sender: AbzuClient
}

export class Arena {
  readonly target: Target
  readonly #victim: NodeProcess
  readonly #owner: AbzuClient
  readonly #friend: NodeProcess
  readonly #sender: AbzuClient
  #sent = 0

  private constructor({ victim, owner, friend, sender }: ArenaInit) {
    const { peerId, addresses } = victim.ready
    const of = (way: string) => addresses.find((one) => one.includes(way)) as string
    this.target = { peerId, tcp: of('/tcp/'), quic: of('/quic-v1/') }
    this.#victim = victim
    this.#owner = owner
    this.#friend = friend
    this.#sender = sender
  }

  /** Two nodes with one person each, who know each other. Ends with the test. */
  static async open(t: Test): Promise<Arena> {
    const [victim, friend] = await Promise.all([NodeProcess.start(t), NodeProcess.start(t)])
    const [to, from] = await Promise.all([account(victim, 'anna'), account(friend, 'bert')])
    await from.addContact({ link: await to.createLink({}), as: 'anna' })
    await from.send({ to: 'anna', text: 'first', waitMs: 10_000 })
    for await (const { from: id } of to.inbox()) await to.addContact({ link: id, as: 'bert' })
    return new Arena({ victim, owner: to, friend, sender: from })
  }

  /** From now on the attacked node keeps the honest one, as nodes of friends do. */
  async befriend(): Promise<void> {
    const [address] = this.#friend.ready.addresses
    await this.#owner.addPeer({ address: address as string })
  }

  /** Lets `attack` go on while honest mail is delivered, until it ends and there was enough of both. */
  async withstand(attack: (target: Target) => Promise<void>): Promise<AbuseResult> {
    this.#victim.begin()
    const stage = { isOver: false }
    const honest = { sent: 0, delivered: 0, msMax: 0 }
    const work = async () => {
      while (!stage.isOver || honest.sent < honestSentMin) {
        const beganAtMs = performance.now()
        honest.sent++
        const text = `message ${this.#sent++}`
        const { state } = await this.#sender.send({ to: 'anna', text, waitMs: honestWaitMs })
        if (state === 'delivered') honest.delivered++
        honest.msMax = Math.max(honest.msMax, performance.now() - beganAtMs)
        await new Promise((resolve) => setTimeout(resolve, honestPauseMs))
      }
    }
    const working = Promise.all(Array.from({ length: honestWorkers }, work))
    try {
      await attack(this.target)
    } finally {
      stage.isOver = true
    }
    await working
    return {
      ...(await this.#victim.report()),
      honestSent: honest.sent,
      honestDelivered: honest.delivered,
      honestMsMax: Math.round(honest.msMax),
    }
  }
}

async function account(node: NodeProcess, name: string): Promise<AbzuClient> {
  const { token } = await node.client.createAccount({ name, role: 'admin', password })
  return node.client.withSession(token)
}
