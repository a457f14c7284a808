/**
 * Records that this node holds for the mesh. Nothing is taken that its account has not signed, that is not
 * newer than what is held, or that is one too many of whoever offers it.
 * @see docs/protocol.md#directory
 * @module
 */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import {
  compareRecords,
  isFork,
  recordHoursMax,
  unverifiedRecord,
  verifyMailboxRecord,
  type VerifiedMailboxRecord,
} from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { Table } from '../../base/store/table.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, equalBytes, mapKey, toHex } from '../../base/util/bytes.ts'
import { type Clock, hoursOf } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import type { Log } from '../../base/util/log.ts'
import { Turns } from '../../base/util/turns.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { PutAnswer } from '../../base/wire/record-call.ts'
import { bytesBetween, decodeShape, literal, record, text, uint } from '../../base/wire/shape.ts'
import type { DirectoryLimits } from './directory-limits.ts'

const rowShape = record({
  v: literal(1),
  /** Who offered it first. */
  from: text(64),
  /** Hours since 1970: held until then. */
  untilHours: uint(2 ** 32 - 1),
  signed: bytesBetween(65, wireLimits.recordBytesMax),
})

/** The records of the mailboxes that this node hosts. */
export interface HostedRecords {
  record(mailbox: MailboxId): Promise<Uint8Array | undefined>
}

export interface HeldRecordsDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256' | 'random'>
  readonly table: Table
  readonly hosted: HostedRecords
  /** Whether this node is one of those that should hold what lies at a key. */
  readonly isNear: (key: Uint8Array) => Promise<boolean>
  readonly limits: DirectoryLimits
  readonly clock: Clock
  readonly log: Log
}

interface Entry {
  readonly mailbox: MailboxId
  readonly from: string
  readonly untilHours: number
  /** Monotonic, ms: it was offered then, by whomever. */
  refreshedAtMs: number
}

/** What became of the offers since the start, for whoever watches the node. */
export interface PutCounts {
  held: number
  stale: number
  forks: number
  refused: number
}

const scanPage = 512

export class HeldRecords {
  readonly #deps: HeldRecordsDeps
  readonly #entries = new Map<string, Entry>()
  /** Records by who offered them. */
  readonly #perPeer = new Map<string, number>()
  /** Per mailbox: the last change, so that each is compared with what the one before it stored. */
  readonly #changes = new Turns()
  readonly #peerPuts: RateLimiter
  readonly #nodePuts: RateLimiter
  readonly counts: PutCounts = { held: 0, stale: 0, forks: 0, refused: 0 }

  /** Reads what is held.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED, ABZU_MALFORMED */
  static async open(deps: HeldRecordsDeps): Promise<HeldRecords> {
    const held = new HeldRecords(deps)
    await held.#load()
    return held
  }

  private constructor(deps: HeldRecordsDeps) {
    this.#deps = deps
    const { limits, clock } = deps
    const keysMax = limits.rateKeysMax
    this.#peerPuts = new RateLimiter({ rate: limits.peerPuts, keysMax, clock })
    this.#nodePuts = new RateLimiter({ rate: limits.nodePuts, keysMax: 1, clock })
  }

  get size(): number {
    return this.#entries.size
  }

  /** The signed record; undefined where none is held. Not older than its account's others that were ever offered. */
  get(mailbox: MailboxId): Uint8Array | undefined {
    const row = this.#entries.has(mapKey(mailbox)) && this.#deps.table.get(mailbox)
    return row ? decodeShape(rowShape, row, 'held record').signed : undefined
  }

  /** The newest record of a mailbox, be it hosted or held here. */
  async newest(mailbox: MailboxId): Promise<Uint8Array | undefined> {
    const hosted = await this.#deps.hosted.record(mailbox)
    const held = this.get(mailbox)
    return hosted && held ? this.#newer(hosted, held) : (hosted ?? held)
  }

  /** Takes a record that `from` offers, or says why not. What is held is durable.
   *  @throws {AbzuError} ABZU_RATE_LIMITED, ABZU_QUOTA_EXCEEDED, ABZU_DENIED where other nodes should hold it,
   *  ABZU_MALFORMED, those of the store */
  async put(signed: Uint8Array, from: PeerId): Promise<PutAnswer> {
    try {
      this.#expectPace(from)
      const mailbox = mailboxIdOf(this.#deps.platform, unverifiedRecord(signed).account)
      const answer = await this.#changes.run(mapKey(mailbox), async () =>
        this.#put(mailbox, signed, from),
      )
      if (answer.kind === 'held') this.counts.held++
      else if (answer.kind === 'stale') this.counts.stale++
      return answer
    } catch (error) {
      this.counts.refused++
      throw error
    }
  }

  /** Keeps a record of a mailbox that is hosted here which is newer than the one in it: this node has come across it, or
   *  the account leaves. */
  async keepAhead(signed: Uint8Array, from: PeerId): Promise<PutAnswer> {
    const { mailbox } = verifyMailboxRecord(this.#deps.platform, signed)
    return this.#changes.run(mapKey(mailbox), async () => this.#put(mailbox, signed, from))
  }

  /** Mailboxes whose record nobody has offered for `republishMs`, at most `limit`. */
  neglected(limit: number): MailboxId[] {
    const { clock, limits } = this.#deps
    const beforeMs = clock.monotonicMs() - limits.republishMs
    const found: MailboxId[] = []
    for (const { mailbox, refreshedAtMs } of this.#entries.values()) {
      if (found.length >= limit) break
      if (refreshedAtMs < beforeMs) found.push(mailbox)
    }
    return found
  }

  /** The record of `mailbox` was offered to its holders just now. */
  refreshed(mailbox: MailboxId): void {
    const entry = this.#entries.get(mapKey(mailbox))
    if (entry) entry.refreshedAtMs = this.#deps.clock.monotonicMs()
  }

  /** Drops records whose time is over. Returns how many went. */
  async sweep(limit: number): Promise<number> {
    const nowHours = this.#nowHours()
    const over = [...this.#entries.values()].filter(({ untilHours }) => untilHours < nowHours)
    for (const { mailbox } of over.slice(0, limit)) {
      this.#uncount(mailbox)
      await this.#changes.run(mapKey(mailbox), async () => this.#drop(mailbox))
    }
    return Math.min(over.length, limit)
  }

  async #load(): Promise<void> {
    const { table, platform, limits, clock } = this.#deps
    let after: Uint8Array | undefined
    for (let count = scanPage; count === scanPage;) {
      count = 0
      for await (const { key, value } of table.range({
        limit: scanPage,
        ...(after && { after }),
      })) {
        count++
        after = key
        const { from, untilHours } = decodeShape(rowShape, value, 'held record')
        const fraction = (platform.random(1)[0] as number) / 256
        const refreshedAtMs = clock.monotonicMs() - fraction * limits.republishMs
        this.#count({ mailbox: concatBytes(key) as MailboxId, from, untilHours, refreshedAtMs })
      }
    }
  }

  #expectPace(from: PeerId): void {
    const isTooFast = this.#peerPuts.waitMs(from) > 0 || this.#nodePuts.waitMs('') > 0
    if (isTooFast) throw new AbzuError('ABZU_RATE_LIMITED', 'records are offered too fast')
    this.#peerPuts.take(from)
    this.#nodePuts.take('')
  }

  async #put(mailbox: MailboxId, signed: Uint8Array, from: PeerId): Promise<PutAnswer> {
    const { hosted, isNear } = this.#deps
    const current = await this.newest(mailbox)
    if (current && equalBytes(current, signed)) {
      this.refreshed(mailbox)
      return { kind: 'held' }
    }
    const isHosted = (await hosted.record(mailbox)) !== undefined
    if (!isHosted && !(await isNear(mailbox))) {
      throw new AbzuError('ABZU_DENIED', 'other nodes are nearer to this record')
    }
    const offered = this.#verify(signed)
    if (!current) {
      await this.#store(offered, from)
      return { kind: 'held' }
    }
    const known = verifyMailboxRecord(this.#deps.platform, current)
    const isNewer = compareRecords(this.#deps.platform, offered, known) > 0
    if (isNewer) await this.#store(offered, from)
    if (!isFork(offered, known))
      return isNewer ? { kind: 'held' } : { kind: 'stale', record: current }
    this.counts.forks++
    this.#deps.log.warn('record-fork', { mailbox: toHex(mailbox.subarray(0, 8)), from })
    return { kind: 'fork', record: current }
  }

  #verify(signed: Uint8Array): VerifiedMailboxRecord {
    const { platform, limits } = this.#deps
    const verified = this.#asOffer(() => verifyMailboxRecord(platform, signed))
    const leftHours = verified.record.notAfterHours - this.#nowHours()
    if (leftHours < -limits.heldAfterEndHours || leftHours > recordHoursMax + 24) {
      throw new AbzuError('ABZU_MALFORMED', 'a record of another time')
    }
    return verified
  }

  /** Peers know no error for a signature: to them it is a record that is none. */
  #asOffer<T>(verify: () => T): T {
    try {
      return verify()
    } catch (cause) {
      if (!(cause instanceof AbzuError)) throw cause
      throw new AbzuError('ABZU_MALFORMED', 'the record is not valid', { cause })
    }
  }

  async #store({ mailbox, record, signed }: VerifiedMailboxRecord, from: PeerId): Promise<void> {
    const { table, limits, clock } = this.#deps
    const before = this.#entries.get(mapKey(mailbox))
    // who passes a record on takes over no place of who brought it, unless it is the account's own host
    const isHost = record.hosts.some(({ peerId }) => peerId === from)
    const owner = isHost ? from : (before?.from ?? from)
    if (owner !== before?.from) this.#expectRoom(owner, before === undefined)
    const untilHours = record.notAfterHours + limits.heldAfterEndHours
    // counted before it is durable, so that many at once do not pass the quota
    this.#uncount(mailbox)
    this.#count({ mailbox, from: owner, untilHours, refreshedAtMs: clock.monotonicMs() })
    try {
      await table.put(mailbox, encode({ v: 1, from: owner, untilHours, signed }))
    } catch (error) {
      this.#uncount(mailbox)
      if (before) this.#count(before)
      throw error
    }
  }

  /** @throws {AbzuError} ABZU_QUOTA_EXCEEDED */
  #expectRoom(from: string, isNew: boolean): void {
    const { limits } = this.#deps
    const own = this.#perPeer.get(from) ?? 0
    if (own >= limits.recordsPerPeerMax) {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', 'this node holds enough records of that peer')
    }
    if (!isNew || this.#entries.size < limits.recordsMax) return
    const victim = this.#leastNeeded(own)
    if (!victim) throw new AbzuError('ABZU_QUOTA_EXCEEDED', 'the directory is full')
    this.#uncount(victim.mailbox)
    this.#changes
      .run(mapKey(victim.mailbox), async () => this.#drop(victim.mailbox))
      .catch((error: unknown) => {
        this.#deps.log.warn('record-not-dropped', { error: toAbzuError(error) })
      })
  }

  /** What makes room for a record of a peer that has `own` here: one whose time is over, else the oldest of
   *  whoever has the most. */
  #leastNeeded(own: number): Entry | undefined {
    const nowHours = this.#nowHours()
    const entries = [...this.#entries.values()]
    const over = entries.find(({ untilHours }) => untilHours < nowHours)
    if (over) return over
    let most = { from: '', count: own + 1 }
    for (const [from, count] of this.#perPeer) if (count > most.count) most = { from, count }
    return entries.find(({ from }) => from === most.from)
  }

  /** Removes the row of what is not counted any more. */
  async #drop(mailbox: MailboxId): Promise<void> {
    if (!this.#entries.has(mapKey(mailbox))) await this.#deps.table.delete(mailbox)
  }

  #count(entry: Entry): void {
    const key = mapKey(entry.mailbox)
    if (!this.#entries.has(key)) {
      this.#perPeer.set(entry.from, (this.#perPeer.get(entry.from) ?? 0) + 1)
    }
    this.#entries.set(key, entry)
  }

  #uncount(mailbox: MailboxId): void {
    const key = mapKey(mailbox)
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    const left = (this.#perPeer.get(entry.from) ?? 1) - 1
    if (left > 0) this.#perPeer.set(entry.from, left)
    else this.#perPeer.delete(entry.from)
  }

  #newer(a: Uint8Array, b: Uint8Array): Uint8Array {
    const { platform } = this.#deps
    const [one, other] = [verifyMailboxRecord(platform, a), verifyMailboxRecord(platform, b)]
    return compareRecords(platform, one, other) >= 0 ? a : b
  }

  #nowHours(): number {
    return hoursOf(this.#deps.clock.nowMs())
  }
}
