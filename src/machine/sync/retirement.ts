/**
 * When a holder's work is done: drops copies of mailboxes whose account has closed them, has named this node no more and
 * has got all that it kept, or has signed nothing for longer than a record lives. What is at home here stays, and so
 * does everything while nobody can be asked or the clock is doubted.
 * @see docs/protocol.md#the-end-of-a-copy
 * @module
 */

import { unverifiedRecord, verifyMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { ItemStore } from '../../base/store/item-store.ts'
import type { Table } from '../../base/store/table.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, equalBytes, toHex } from '../../base/util/bytes.ts'
import { type Cancel, type Clock, hoursOf, type Scheduler } from '../../base/util/clock.ts'
import { isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import {
  bytes,
  decodeShape,
  list,
  literal,
  optional,
  record,
  text,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'
import { syncEpochBytes } from '../../base/wire/sync.ts'
import type { MailboxRecord } from '../../base/wire/records.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'

/** What is remembered of a copy between two looks at it. */
const rowShape = record({
  v: literal(1),
  /** Hours since 1970: by the newest record nothing is to be kept here since then. */
  sinceHours: optional(uint()),
  /** It is being dropped. */
  isGoing: optional(literal(1)),
  /** Who had all that was here, when that was seen last. */
  handedOver: optional(
    record({
      peers: list(text(64), wireLimits.hostsMax),
      /** All up to this arrival, in the store of this epoch. */
      upTo: uint(),
      epoch: bytes(syncEpochBytes),
    }),
  ),
})

type Kept = Omit<Shaped<typeof rowShape>, 'v'>
type Memory = { readonly [K in keyof Kept]?: Kept[K] | undefined }

export interface RetirementDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256' | 'random'>
  readonly mailboxes: Pick<Mailboxes, 'hosted' | 'drop'>
  readonly items: Pick<ItemStore, 'last'>
  readonly table: Table
  /** Of the store. */
  readonly epoch: () => Uint8Array
  readonly self: PeerId
  /** Whether the account itself lives here, or did: its mailbox stays. */
  readonly isAtHome: (rootPk: Uint8Array) => boolean
  /** See `HeldRecords.newest`. */
  readonly newest: (mailbox: MailboxId) => Promise<Uint8Array | undefined>
  /** See `Directory.confirm`. */
  readonly confirm: (mailbox: MailboxId) => Promise<Uint8Array>
  /** Hosts that have everything of it now. */
  readonly coveredBy: (mailbox: MailboxId) => Promise<readonly PeerId[]>
  /** Told of each mailbox that is gone. */
  readonly dropped: (mailbox: MailboxId) => void
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
}

/** Why a copy goes. */
type Reason = 'closed' | 'ended' | 'left'

/** A copy stays for so long after its record's end, and after this node is a holder no more: longer than mail lives. */
const keptHours = 30 * 24
/** What is closed or has ended goes at a later look, and not while the account is being recovered here. */
const graceHours = 24
/** The first look waits for the others to connect. */
const firstMs = 3_600_000
const roundMs = 6 * 3_600_000
/** Copies that others are asked about in one round. */
const confirmedMax = 200

export class Retirement {
  readonly #deps: RetirementDeps
  #cancel: Cancel | undefined
  #isClosed = false
  /** Copies that are left out of this round, since others were asked about them in the last. */
  #skipped = 0

  constructor(deps: RetirementDeps) {
    this.#deps = deps
  }

  /** Finishes what was cut off, and looks at the copies from now on. */
  start(): void {
    this.#finish().catch((error: unknown) => this.#failed(error))
    this.#again(firstMs)
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  /** Looks at every copy once. Resolves to the number of those that went.
   *  @throws {AbzuError} those of the store */
  async round(): Promise<number> {
    const { mailboxes, isAtHome, clock } = this.#deps
    let gone = 0
    const asks = { seen: 0 }
    for await (const { mailbox, rootPk } of mailboxes.hosted()) {
      if (this.#isClosed || clock.doubt?.()) break
      if (!isAtHome(rootPk) && (await this.#look(mailbox, asks))) gone++
    }
    const next = this.#skipped + confirmedMax
    this.#skipped = asks.seen > next ? next : 0
    return gone
  }

  #again(delayMs: number): void {
    if (this.#isClosed) return
    const { scheduler, platform } = this.#deps
    const fraction = (platform.random(1)[0] as number) / 255
    this.#cancel = scheduler.after(delayMs * (0.9 + 0.2 * fraction), () => {
      this.round()
        .catch((error: unknown) => this.#failed(error))
        .finally(() => this.#again(roundMs))
    })
  }

  #failed(error: unknown): void {
    this.#deps.log.warn('copies-not-looked-at', { error: toAbzuError(error) })
  }

  async #finish(): Promise<void> {
    const unfinished: MailboxId[] = []
    for await (const { key, value } of this.#deps.table.range({ limit: Infinity })) {
      const { isGoing } = decodeShape(rowShape, value, 'copy')
      if (isGoing) unfinished.push(concatBytes(key) as MailboxId)
    }
    for (const mailbox of unfinished) await this.#drop(mailbox)
  }

  /** Resolves to whether the copy went. */
  async #look(mailbox: MailboxId, asks: { seen: number }): Promise<boolean> {
    const { items, coveredBy, epoch, log } = this.#deps
    // before it is asked who has it: what comes in between is not handed over
    const last = await items.last(mailbox)
    const peers = [...(await coveredBy(mailbox))].slice(0, wireLimits.hostsMax)
    const memory = this.#memory(mailbox)
    const handedOver = { peers, upTo: last, epoch: epoch() }
    const now: Memory = peers.length > 0 ? { ...memory, handedOver } : memory
    if (await this.#isInUse(mailbox, peers)) {
      await this.#remember(mailbox, memory, { handedOver })
      return false
    }
    const newest = this.#isItsTurn(asks.seen++) ? await this.#confirmed(mailbox) : undefined
    if (!newest) {
      await this.#remember(mailbox, memory, now)
      return false
    }
    const isLive = peers.length > 0
    const reason = await this.#judge(mailbox, { newest, now, memory, last, isLive })
    if (!reason) return false
    log.info('copy-dropped', { mailbox: toHex(mailbox.subarray(0, 8)), reason })
    await this.#remember(mailbox, {}, { isGoing: 1 })
    await this.#drop(mailbox)
    return true
  }

  async #drop(mailbox: MailboxId): Promise<void> {
    await this.#deps.mailboxes.drop(mailbox)
    await this.#deps.table.delete(mailbox)
    this.#deps.dropped(mailbox)
  }

  async #judge(
    mailbox: MailboxId,
    {
      newest: { hosts, notAfterHours },
      now,
      memory,
      last,
      isLive,
    }: { newest: MailboxRecord; now: Memory; memory: Memory; last: number; isLive: boolean },
  ): Promise<Reason | undefined> {
    const { self, clock } = this.#deps
    const nowHours = hoursOf(clock.nowMs())
    const role = hosts.find(({ peerId }) => peerId === self)?.role
    const isOver = nowHours > notAfterHours + keptHours
    const reason =
      hosts.length === 0 ? 'closed' : role === 'home' ? undefined : isOver ? 'ended' : 'left'
    const { handedOver, sinceHours = nowHours } = now
    if (!reason || (reason === 'left' && role === 'replica')) {
      await this.#remember(mailbox, memory, { handedOver })
      return undefined
    }
    await this.#remember(mailbox, memory, { handedOver, sinceHours })
    if (nowHours < sinceHours + (reason === 'left' ? keptHours : graceHours)) return undefined
    if (reason !== 'left') return reason
    if (!handedOver || !equalBytes(handedOver.epoch, this.#deps.epoch())) return undefined
    // the home alone is known to want whatever it has not got; and it may have lost what it had, so that it is asked as
    // long as it asks this node
    const isAtHome = hosts.some(
      (host) => host.role === 'home' && handedOver.peers.includes(host.peerId),
    )
    const isProven = isAtHome && handedOver.upTo >= last && (isLive || role === undefined)
    return isProven ? reason : undefined
  }

  #isItsTurn(place: number): boolean {
    return place >= this.#skipped && place < this.#skipped + confirmedMax
  }

  /** Whether there is nothing to ask: another host is here, by whose record this node is a holder. */
  async #isInUse(mailbox: MailboxId, peers: readonly PeerId[]): Promise<boolean> {
    const { newest, self, clock } = this.#deps
    const signed = peers.length > 0 ? await newest(mailbox) : undefined
    if (!signed) return false
    const { hosts, notAfterHours } = unverifiedRecord(signed)
    const isNamed = hosts.some(({ peerId, role }) => peerId === self && role === 'replica')
    return isNamed && hoursOf(clock.nowMs()) <= notAfterHours
  }

  /** The newest record, where others could be asked for it. */
  async #confirmed(mailbox: MailboxId): Promise<MailboxRecord | undefined> {
    const { platform, confirm, log } = this.#deps
    try {
      const verified = verifyMailboxRecord(platform, await confirm(mailbox))
      return equalBytes(verified.mailbox, mailbox) ? verified.record : undefined
    } catch (error) {
      if (!isAbzuError(error)) throw error
      log.debug('copy-not-confirmed', { code: error.code })
      return undefined
    }
  }

  #memory(mailbox: MailboxId): Memory {
    const row = this.#deps.table.get(mailbox)
    if (!row) return {}
    const { v: _, ...memory } = decodeShape(rowShape, row, 'copy')
    return memory
  }

  async #remember(mailbox: MailboxId, before: Memory, now: Memory): Promise<void> {
    const { sinceHours, handedOver, isGoing } = now
    const rowOf = (memory: Memory): Uint8Array =>
      encode({ ...rowShape({ v: 1, ...memory }, 'copy') })
    const next = {
      ...(sinceHours !== undefined && { sinceHours }),
      ...(handedOver && { handedOver }),
      ...(isGoing && { isGoing }),
    }
    if (!equalBytes(rowOf(before), rowOf(next))) await this.#deps.table.put(mailbox, rowOf(next))
  }
}
