/**
 * Where abuse is tried: two real nodes in processes of their own, of which one is attacked while the other
 * delivers sealed mail to it. An attack is a function; the arena says what it cost the attacked and the honest.
 * @module
 */

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Test } from 'tap'
import { mailboxIdOf, rootKeyOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openStore, type Store } from '../../../src/base/store/store.ts'
import type { AccountId, MailboxId, PeerId } from '../../../src/base/util/brand.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { systemClock, systemScheduler } from '../../../src/base/util/system-time.ts'
import { AbzuClient } from '../../../src/surface/client/client.ts'
import { tempHome } from '../temp-home.ts'
import type { Memory, Ready, Report } from './measured-node.ts'

export interface Target {
  readonly peerId: PeerId
  /** Root public key of the account that the honest mail is for, and its mailbox. */
  readonly rootPk: Uint8Array
  readonly mailbox: MailboxId
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
const daemonFlags = [
  '--disable-sigusr1',
  '--report-exclude-env',
  '--max-semi-space-size=4',
  '--heap-growing-percent=70',
]
const password = 'a password that nobody guesses'
/** Long enough for one try again after a break. */
const honestWaitMs = 5000
/** So many honest messages on their way at a time, and a pause after each: below what one account may send. */
const honestWorkers = 4
const honestPauseMs = 80
const honestSentMin = 100

class NodeProcess {
  readonly #child: ChildProcess
  readonly #home: string
  readonly ready: Ready
  readonly client: AbzuClient

  private constructor(child: ChildProcess, home: string, ready: Ready) {
    this.#child = child
    this.#home = home
    this.ready = ready
    this.client = new AbzuClient({ socketPath: join(home, 'api.sock') })
  }

  static async start(t: Test, before?: BeforeStart): Promise<NodeProcess> {
    const env = tempHome(t)
    if (before) await withStore(env.ABZU_HOME, before)
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
    return this.#ask<Report>('report')
  }

  async memory(): Promise<Memory> {
    return this.#ask<Memory>('memory')
  }

  /** Kills the node, so that nothing is on the disk but what was there when it was said to be, and looks into
   *  what it leaves. */
  async lookInto<T>(look: (store: Store) => Promise<T>): Promise<T> {
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
    return withStore(this.#home, look)
  }

  async #ask<T>(question: 'report' | 'memory'): Promise<T> {
    this.#child.send(question)
    const [answer] = (await once(this.#child, 'message')) as [T]
    return answer
  }
}

/** Fills the store of a node that has not started yet. */
export type BeforeStart = (store: Store) => Promise<void>

async function withStore<T>(home: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({
    dir: join(home, 'store'),
    platform: nodePlatform(),
    clock: systemClock,
    scheduler: systemScheduler,
    log: silentLog,
  })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

interface ArenaInit {
  readonly victim: NodeProcess
  /** Of the attacked node. */
  readonly owner: Person
  readonly friend: NodeProcess
  readonly sender: Person
}

interface Person {
  readonly client: AbzuClient
  readonly rootPk: Uint8Array
}

export class Arena {
  readonly target: Target
  /** Mailboxes of the honest node. */
  readonly honest: MailboxId[]
  readonly #victim: NodeProcess
  readonly #owner: AbzuClient
  readonly #friend: NodeProcess
  readonly #sender: AbzuClient
  #sent = 0

  private constructor({ victim, owner, friend, sender }: ArenaInit) {
    const { peerId, addresses } = victim.ready
    const of = (way: string) => addresses.find((one) => one.includes(way)) as string
    const { client, rootPk } = owner
    const mailbox = mailboxIdOf(nodePlatform(), rootPk)
    this.target = { peerId, rootPk, mailbox, tcp: of('/tcp/'), quic: of('/quic-v1/') }
    this.#victim = victim
    this.#owner = client
    this.#friend = friend
    this.#sender = sender.client
    this.honest = [mailboxIdOf(nodePlatform(), sender.rootPk)]
  }

  /** Two nodes with one person each, who know each other. Ends with the test.
   *  @param init.before fills the store of the one that is attacked */
  static async open(t: Test, { before }: { before?: BeforeStart } = {}): Promise<Arena> {
    const [victim, friend] = await Promise.all([NodeProcess.start(t, before), NodeProcess.start(t)])
    const [owner, sender] = await Promise.all([account(victim, 'anna'), account(friend, 'bert')])
    const [to, from] = [owner.client, sender.client]
    await from.addContact({ link: await to.createLink({}), as: 'anna' })
    await from.send({ to: 'anna', text: 'first', waitMs: 10_000 })
    for await (const { from: id } of to.inbox()) await to.addContact({ link: id, as: 'bert' })
    return new Arena({ victim, owner, friend, sender })
  }

  /** From now on the attacked node keeps the honest one, as nodes of friends do. */
  async befriend(): Promise<void> {
    const [address] = this.#friend.ready.addresses
    await this.#owner.addPeer({ address: address as string })
  }

  /** Locks the account that the mail is for: from now on nobody reads it, or makes room. Nothing else can be asked
   *  in the owner's name after that. */
  async lockOwner(): Promise<void> {
    await this.#owner.lock()
  }

  /** A new account on the honest node, whose record that node publishes. Returns its mailbox. */
  async newcomer(name: string): Promise<MailboxId> {
    const { rootPk } = await account(this.#friend, name)
    const mailbox = mailboxIdOf(nodePlatform(), rootPk)
    this.honest.push(mailbox)
    return mailbox
  }

  /** Of the attacked node, as it is now. */
  async memory(): Promise<Memory> {
    return this.#victim.memory()
  }

  /** Kills the attacked node, and looks into its store. */
  async lookInto<T>(look: (store: Store) => Promise<T>): Promise<T> {
    return this.#victim.lookInto(look)
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

async function account(node: NodeProcess, name: string): Promise<Person> {
  const { token, id } = await node.client.createAccount({ name, role: 'admin', password })
  return { client: node.client.withSession(token), rootPk: rootKeyOf(id as AccountId) }
}
