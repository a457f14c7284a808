/**
 * Sealed letters on their way out, durable until they have an outcome, and outcomes, durable until the
 * account has taken them over.
 * @see docs/protocol.md#delivery
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { itemIdOf } from '../../base/crypto/address.ts'
import type { RowChange, Table, TableName } from '../../base/store/table.ts'
import type { ItemId, MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, mapKey, readU64be } from '../../base/util/bytes.ts'
import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import { Tally } from '../../base/util/metric.ts'
import { Listeners } from '../../base/util/listeners.ts'
import type { Log } from '../../base/util/log.ts'
import { passOf, type Pass } from '../../base/wire/deliver.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import { deliverProtocol } from '../../base/wire/protocols.ts'
import type { Host } from '../../base/wire/records.ts'
import { dialAddresses } from '../node/directory.ts'
import type { Transport } from '../transport/transport.ts'
import { Courier, type Answer, type Handover, type Parcel } from './courier.ts'
import { Lane, type Letter } from './lane.ts'
import { LocalHandover } from './local-handover.ts'
import type { MailboxLimits } from './mailbox-limits.ts'
import type { Mailboxes } from './mailboxes.ts'
import {
  decodeHead,
  decodeOutcome,
  encodeHead,
  encodeOutcome,
  outcomeKey,
  passOfHead,
  placeKey,
  type OutboxHead,
  type OutboxOutcome,
} from './outbox-row.ts'

export interface OutboxDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256' | 'random'>
  readonly store: {
    table(name: TableName): Table
    commit(rows: readonly RowChange[]): Promise<void>
  }
  readonly transport: Pick<Transport, 'peerId' | 'open' | 'watch'>
  /** For letters between two accounts of this node. */
  readonly mailboxes: Pick<Mailboxes, 'take'>
  readonly limits: MailboxLimits
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
}

export type Outgoing = Pass & {
  readonly from: MailboxId
  readonly to: MailboxId
  readonly hosts: readonly Host[]
  readonly envelope: Uint8Array
}

const outcomesPage = 256
const scanPage = 512

export class Outbox {
  /** What became of letters, since the start. */
  readonly outcomesTold = new Tally<OutboxOutcome['state']>()
  /** Why letters were not taken, since the start. */
  readonly refusals = new Tally<'ABZU_QUOTA_EXCEEDED' | 'ABZU_RATE_LIMITED'>()
  readonly #deps: OutboxDeps
  readonly #heads: Table
  readonly #envelopes: Table
  readonly #outcomes: Table
  readonly #lanes = new Map<PeerId, Lane>()
  /** Letters and outcomes of each sender. */
  readonly #count = new Map<string, number>()
  readonly #listeners = new Listeners()
  readonly #perAccount: RateLimiter
  readonly #perPeer: RateLimiter
  readonly #perNode: RateLimiter
  #nextSeq = 1
  #stopWatching: Cancel | undefined
  #isClosed = false

  constructor(deps: OutboxDeps) {
    this.#deps = deps
    const { store, limits, clock } = deps
    this.#heads = store.table('outbox')
    this.#envelopes = store.table('outbox-envelopes')
    this.#outcomes = store.table('outcomes')
    const keysMax = limits.rateKeysMax
    this.#perAccount = new RateLimiter({ rate: limits.accountOutbound, keysMax, clock })
    this.#perPeer = new RateLimiter({ rate: limits.peerOutbound, keysMax, clock })
    this.#perNode = new RateLimiter({ rate: limits.nodeOutbound, keysMax: 1, clock })
  }

  /** Takes up what was queued before the last stop. Resolves when all of it has its lane. */
  async start(): Promise<void> {
    this.#stopWatching = this.#deps.transport.watch(({ peerId, connected }) => {
      if (connected) this.#lanes.get(peerId)?.wake()
    })
    for await (const { key } of pages(this.#outcomes)) {
      this.#counted(key.slice(0, 32) as MailboxId, 1)
      this.#nextSeq = Math.max(this.#nextSeq, readU64be(key, 32) + 1)
    }
    for await (const { key, value } of pages(this.#heads)) {
      const head = decodeHead(value)
      const seq = readU64be(key)
      this.#nextSeq = Math.max(this.#nextSeq, seq + 1)
      this.#counted(head.from as MailboxId, 1)
      this.#enqueue(seq, head)
    }
  }

  /** Letters without an outcome. */
  get depth(): number {
    return [...this.#lanes.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Every home is tried again at once: the network is another one. */
  wake(): void {
    for (const lane of this.#lanes.values()) lane.wake()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopWatching?.()
    await Promise.all([...this.#lanes.values()].map(async (lane) => lane.close()))
  }

  /** Resolves with the envelope's id once it is durable here.
   *  @throws {AbzuError} ABZU_RATE_LIMITED, ABZU_QUOTA_EXCEEDED, ABZU_MALFORMED, those of the store */
  async post(outgoing: Outgoing): Promise<ItemId> {
    const { from, to, hosts, envelope } = outgoing
    if (this.#isClosed) throw new AbzuError('ABZU_CLOSED', 'the outbox is closed')
    const { expiresAtHours } = parseEnvelopeHeader(envelope)
    homeOf(hosts)
    this.#expectRoom(from)
    const id = itemIdOf(this.#deps.platform, envelope)
    const seq = this.#nextSeq++
    const head: OutboxHead = { v: 1, id, from, to, hosts, ...passOf(outgoing), expiresAtHours }
    const key = placeKey(seq)
    this.#counted(from, 1)
    try {
      await this.#deps.store.commit([
        { table: this.#heads.name, key, value: encodeHead(head) },
        { table: this.#envelopes.name, key, value: envelope },
      ])
    } catch (error) {
      this.#counted(from, -1)
      throw error
    }
    this.#enqueue(seq, head)
    return id
  }

  /** Outcomes of this sender that it has not settled, oldest first, at most 256. */
  async outcomes(from: MailboxId): Promise<OutboxOutcome[]> {
    const outcomes: OutboxOutcome[] = []
    for await (const { value } of this.#outcomes.range({ prefix: from, limit: outcomesPage })) {
      outcomes.push(decodeOutcome(value))
    }
    return outcomes
  }

  /** Forgets outcomes that the account has taken over durably. */
  async settle(from: MailboxId, ids: readonly ItemId[]): Promise<void> {
    const settled = new Set(ids.map(mapKey))
    const rows: RowChange[] = []
    for await (const { key, value } of this.#outcomes.range({
      prefix: from,
      limit: outcomesPage,
    })) {
      if (!settled.has(mapKey(decodeOutcome(value).id))) continue
      rows.push({ table: this.#outcomes.name, key, value: undefined })
    }
    if (rows.length === 0) return
    await this.#deps.store.commit(rows)
    this.#counted(from, -rows.length)
  }

  /** Calls `listener` when this sender has a new outcome. */
  watch(from: MailboxId, listener: () => void): Cancel {
    return this.#listeners.add(mapKey(from), listener)
  }

  #expectRoom(from: MailboxId): void {
    const { limits } = this.#deps
    if ((this.#count.get(mapKey(from)) ?? 0) >= limits.outboxItemsMax) {
      this.refusals.count('ABZU_QUOTA_EXCEEDED')
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', 'too many letters wait to be sent')
    }
    if (this.#perAccount.take(mapKey(from)) > 0) {
      this.refusals.count('ABZU_RATE_LIMITED')
      throw new AbzuError('ABZU_RATE_LIMITED', 'this account sends too fast')
    }
  }

  #counted(from: MailboxId, change: number): void {
    const key = mapKey(from)
    const count = (this.#count.get(key) ?? 0) + change
    if (count > 0) this.#count.set(key, count)
    else this.#count.delete(key)
  }

  #enqueue(seq: number, head: OutboxHead): void {
    const home = homeOf(head.hosts)
    const peer = home.peerId as PeerId
    const lane = this.#lanes.get(peer) ?? this.#newLane(home)
    this.#lanes.set(peer, lane)
    lane.add({ seq, id: head.id as ItemId, expiresAtHours: head.expiresAtHours })
  }

  #newLane(home: Host): Lane {
    const { clock, scheduler, platform, log } = this.#deps
    const peer = home.peerId as PeerId
    return new Lane({
      clock,
      scheduler,
      log,
      jitter: () => (platform.random(1)[0] as number) / 255,
      connect: async (signal) => this.#connect(home, signal),
      load: (letter) => this.#load(letter),
      pace: () => {
        const waitMs = Math.max(this.#perPeer.waitMs(peer), this.#perNode.waitMs(''))
        if (waitMs === 0) {
          this.#perPeer.take(peer)
          this.#perNode.take('')
        }
        return waitMs
      },
      settle: (letter, answer) => {
        this.#conclude(letter, answer).catch((error: unknown) => {
          log.error('outcome-not-stored', { error: toAbzuError(error) })
        })
      },
    })
  }

  async #connect(home: Host, signal: AbortSignal): Promise<Handover> {
    const { transport, mailboxes, platform, clock, scheduler } = this.#deps
    const peer = home.peerId as PeerId
    if (peer === transport.peerId) return new LocalHandover(mailboxes, peer)
    const addresses = dialAddresses(home)
    const stream = await transport.open(peer, deliverProtocol, {
      addresses,
      signal,
      // its home may have moved to another address while its account was locked
      locate: true,
    })
    return new Courier({ platform, clock, scheduler }, stream)
  }

  #load({ seq, id }: Letter): Parcel {
    const row = this.#heads.get(placeKey(seq))
    const envelope = this.#envelopes.get(placeKey(seq))
    if (!row || !envelope) throw new AbzuError('ABZU_STORE_DAMAGED', 'a queued letter is gone')
    const head = decodeHead(row)
    return { id, mailbox: head.to, ...passOfHead(head), envelope }
  }

  /** Replaces the letter by its outcome, in one commit. */
  async #conclude({ seq, id }: Letter, answer: Answer | { kind: 'expired' }): Promise<void> {
    const { clock, transport, store } = this.#deps
    const key = placeKey(seq)
    const row = this.#heads.get(key)
    if (!row) throw new AbzuError('ABZU_STORE_DAMAGED', 'a letter with an outcome is gone')
    const from = concatBytes(decodeHead(row).from) as MailboxId
    const outcome = { id, atMs: clock.nowMs(), ...outcomeOf(answer, transport.peerId) }
    await store.commit([
      { table: this.#heads.name, key, value: undefined },
      { table: this.#envelopes.name, key, value: undefined },
      { table: this.#outcomes.name, key: outcomeKey(from, seq), value: encodeOutcome(outcome) },
    ])
    this.outcomesTold.count(outcome.state)
    this.#listeners.tell(mapKey(from))
  }
}

/** @throws {AbzuError} ABZU_MALFORMED */
function homeOf(hosts: readonly Host[]): Host {
  const home = hosts.find(({ role }) => role === 'home')
  if (!home) throw new AbzuError('ABZU_MALFORMED', 'the recipient has no home')
  return home
}

function outcomeOf(
  answer: Answer | { kind: 'expired' },
  own: PeerId,
): Omit<OutboxOutcome, 'id' | 'atMs'> {
  if (answer.kind === 'expired') return { state: 'expired', by: own }
  const { by } = answer
  if (answer.kind === 'receipt') {
    const state = answer.as === 'home' ? 'delivered' : 'held'
    return { state, by, holdUntilHours: answer.holdUntilHours }
  }
  const { error, record } = answer
  if (error === 'ABZU_STALE_KEY') return { state: 'stale-key', by, record }
  return error === 'ABZU_STAMP_INVALID'
    ? { state: 'refused', by, error, record }
    : { state: 'refused', by, error }
}

/** Every row of a table, a page at a time. */
async function* pages(table: Table): AsyncIterable<{ key: Uint8Array; value: Uint8Array }> {
  let after: Uint8Array | undefined
  for (;;) {
    let count = 0
    for await (const row of table.range({ limit: scanPage, ...(after && { after }) })) {
      count++
      after = row.key
      yield row
    }
    if (count < scanPage) return
  }
}
