/**
 * Contacts and messages of one unlocked account, and the work behind them:
 *
 * - receiving: mail becomes messages
 * - posting: what is durable and not in the outbox goes there
 * - outcomes: what became of envelopes becomes message states
 * - marking: what is in the outbox is noted, so that it is not posted twice
 * - refreshing: newer records of contacts are asked for
 * - upkeep: once an hour, see account/upkeep.ts
 * @module
 */

import type { Cancel, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Account } from '../account/account.ts'
import type { DirectoryPort, PostPort, StampPort } from '../account/ports.ts'
import { Pump } from '../account/pump.ts'
import { Serial } from '../account/serial.ts'
import { upkeep } from '../account/upkeep.ts'
import { ContactBook } from './contact-book.ts'
import { isContactSlot } from './contact-row.ts'
import { Contacts } from './contacts.ts'
import type { Guardian } from './guardian.ts'
import { tellOfKeys } from './key-news.ts'
import { lapseRequests } from './lapse.ts'
import { Links } from './links.ts'
import { isMessageSlot, MessageLog, type LoggedMessage } from './message-log.ts'
import { Messages } from './messages.ts'
import { Outcomes } from './outcomes.ts'
import { Receiver } from './receiver.ts'
import { Refresher } from './refresher.ts'
import { Sender } from './sender.ts'
import { isShareSlot, ShareBook } from './share-book.ts'
import { Shares } from './shares.ts'
import { StateWaiters } from './state-waiters.ts'

export interface MessagingDeps {
  readonly account: Account
  readonly post: PostPort
  readonly directory: DirectoryPort
  readonly stamps: StampPort
  /** Who decides of the account's letters, where it is not the account alone. */
  readonly guardian?: Guardian | undefined
  readonly scheduler: Scheduler
  readonly log: Log
}

const upkeepMs = 3_600_000
/** Most envelopes have their outcome by then, and nothing is to be noted. */
const markAfterMs = 2000

export class Messaging {
  readonly contacts: Contacts
  readonly links: Links
  readonly messages: Messages
  readonly shares: Shares
  readonly #deps: MessagingDeps
  readonly #sender: Sender
  readonly #waiters: StateWaiters
  readonly #pumps: Readonly<Record<'receiving' | 'posting' | 'outcomes' | 'upkeep', Pump>>
  readonly #marking: Pump
  readonly #refreshing: Pump
  readonly #watches: Cancel[] = []
  readonly #closing = new AbortController()
  #cancelMarking: Cancel | undefined
  #cancelUpkeep: Cancel | undefined

  /** Reads the vault and takes up all work. Resolves when contacts and messages are there; mail and
   *  outcomes follow.
   *  @throws {AbzuError} those of the store */
  static async open(deps: MessagingDeps): Promise<Messaging> {
    const { account, log } = deps
    const book = new ContactBook(account)
    const messages = new MessageLog(account)
    const shares = new ShareBook(account)
    for await (const { name, value } of account.vault.entries()) {
      try {
        if (isContactSlot(name)) book.load(value)
        else if (isMessageSlot(name)) messages.load(name, value)
        else if (isShareSlot(name)) shares.load(name, value)
      } catch (error) {
        log.error('vault-entry-unreadable', { error: toAbzuError(error) })
      }
    }
    const messaging = new Messaging(deps, { book, messages, shares })
    messaging.#start()
    return messaging
  }

  private constructor(
    deps: MessagingDeps,
    stored: { book: ContactBook; messages: MessageLog; shares: ShareBook },
  ) {
    this.#deps = deps
    const { account, scheduler, log } = deps
    const waiters = new StateWaiters(scheduler)
    const changed = ({ msgId }: LoggedMessage): void => waiters.changed(msgId)
    const parts = {
      ...deps,
      ...stored,
      waiters,
      changed,
      changes: new Serial(),
      closing: this.#closing.signal,
    }
    const sender = new Sender(parts)
    const refresher = new Refresher(parts)
    const outdated = (root: Uint8Array): void => {
      refresher.add(root)
      this.#refreshing.kick()
    }
    const outcomes = new Outcomes({ ...parts, sender, outdated })
    const receiver = new Receiver({ ...parts, outdated })
    const pump = (name: string, run: (signal: AbortSignal) => Promise<void>): Pump =>
      new Pump({ name, run, scheduler, log })
    const receiving = pump('receiving', (signal) => receiver.takeAll(signal))
    const drain = async (): Promise<ReadonlySet<string>> => {
      receiver.reconsider()
      await receiving.flush()
      return receiver.keysNeeded
    }
    const answered = (): void => {
      receiver.reconsider()
      receiving.kick()
      this.#pumps.posting.kick()
    }
    this.#sender = sender
    this.#waiters = waiters
    this.#pumps = {
      receiving,
      posting: pump('posting', async (signal) => {
        await sender.postAll(signal)
        this.#markSoon()
      }),
      outcomes: pump('outcomes', async (signal) => {
        await outcomes.takeAll(signal)
        this.#pumps.posting.kick()
      }),
      upkeep: pump('upkeep', async (signal) => {
        if ((await lapseRequests(parts)) > 0) answered()
        if ((await tellOfKeys({ ...parts, sender }, signal)) > 0) this.#pumps.posting.kick()
        await upkeep(account, { drain, signal })
      }),
    }
    this.#marking = pump('marking', () => sender.markPosted())
    this.#refreshing = pump('refreshing', (signal) => refresher.refreshAll(signal))
    this.links = new Links(account)
    const written = (): void => this.#pumps.posting.kick()
    this.shares = new Shares({ ...parts, sender, refresher, written })
    this.contacts = new Contacts({ ...parts, links: this.links, sender, answered })
    const posted = (): void => this.#markSoon()
    this.messages = new Messages({ ...parts, sender, receiving, outdated, posted })
  }

  /** Ends all work, in order: nothing new begins, what has begun comes to its end. The keys may go
   *  afterwards. */
  async close(): Promise<void> {
    const { account, log } = this.#deps
    const gateClosed = account.gate.close()
    this.#closing.abort(new AbzuError('ABZU_LOCKED', 'the account is locked'))
    for (const cancel of this.#watches) cancel()
    this.#cancelMarking?.()
    this.#cancelUpkeep?.()
    this.#waiters.close()
    const pumps = Object.values(this.#pumps)
    for (const pump of [...pumps, this.#marking, this.#refreshing]) pump.stop()
    await Promise.all([gateClosed, this.#marking.stopped(), ...pumps.map((pump) => pump.stopped())])
    try {
      await this.#sender.markPosted()
    } catch (error) {
      // those messages are posted once more after the next unlock, and dropped by their recipients
      log.warn('posted-not-noted', { error: toAbzuError(error) })
    }
  }

  #start(): void {
    const { account, post } = this.#deps
    const { receiving, posting, outcomes } = this.#pumps
    this.#watches.push(
      account.port.watch(() => receiving.kick()),
      post.watch(account.mailbox, () => outcomes.kick()),
    )
    this.#sender.resume()
    this.#keepUp()
    receiving.kick()
    outcomes.kick()
    posting.kick()
  }

  /** Sends what the earlier home of the account has not sent for sure.
   *  @throws {AbzuError} those of Sender.takeOver, ABZU_LOCKED */
  async takeOver(): Promise<void> {
    await this.#deps.account.gate.pass(async () => this.#sender.takeOver())
    this.#pumps.posting.kick()
  }

  /** The home is reached at other addresses now: the account says so at once. */
  homeMoved(): void {
    this.#pumps.upkeep.kick()
  }

  #keepUp(): void {
    this.#pumps.upkeep.kick()
    this.#cancelUpkeep = this.#deps.scheduler.after(upkeepMs, () => this.#keepUp())
  }

  #markSoon(): void {
    this.#cancelMarking ??= this.#deps.scheduler.after(markAfterMs, () => {
      this.#cancelMarking = undefined
      this.#marking.kick()
    })
  }
}
