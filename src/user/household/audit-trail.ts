/**
 * Who has looked at a Child's messages, or tried to: a chain of entries, each of them durable in the Child's mailbox as a letter
 * of who asked. The node keeps the number and hash of the last one, and what the Child has not taken in yet, sealed to it.
 * @see docs/protocol.md#oversight
 * @module
 */

import { mailboxIdOf, itemIdOf } from '../../base/crypto/address.ts'
import { auditHash, auditStart } from '../../base/crypto/audit-chain.ts'
import { doorIdOf, doorKeyOf, doorProof } from '../../base/crypto/door.ts'
import { labels } from '../../base/crypto/labels.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { sealNote } from '../../base/crypto/sealed-note.ts'
import { concatBytes } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import { encode } from '../../base/wire/codec.ts'
import { auditEntryShape, type AuditEntry } from '../../base/wire/letter.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import {
  bytes,
  bytesBetween,
  decodeShape,
  list,
  literal,
  optional,
  record,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'
import type { Account } from '../account/account.ts'
import { readOwnRecord } from '../account/plain-slots.ts'
import type { HostingPort, NodeRows } from '../account/ports.ts'
import { auditDraft, readAuditEntry } from '../message/audit-slots.ts'
import { sealKeysOf } from './seal-keys.ts'

/** Entries that a Child has not taken in yet: it has not unlocked for so long. */
const waitingMax = 100
const noteBytesMax = 64 * 1024

const rowShape = record({
  v: literal(1),
  /** How many entries there are. */
  count: uint(),
  /** Hash of the last one. */
  head: bytes(32),
  /** A letter that may not be in the mailbox yet. */
  letter: optional(bytesBetween(1, wireLimits.envelopeBytesMax)),
  /** Entries, oldest first, each sealed to the Child's devices. */
  waiting: list(bytesBetween(1, noteBytesMax), waitingMax),
})
type Row = Shaped<typeof rowShape>

/** Who asked, unlocked. */
export interface EntrySigner {
  readonly name: string
  /** Signs an entry and seals it to the Child. */
  sealEntry(
    body: Uint8Array,
    to: { msgId: Uint8Array; recipientRoot: Uint8Array; prekey: Uint8Array },
  ): Promise<Uint8Array>
}

export interface AuditTrailDeps {
  readonly platform: CryptoPlatform
  readonly clock: Pick<Clock, 'nowMs'>
  readonly hosting: Pick<HostingPort, 'mailbox' | 'deliver'>
  /** By the Child's root key. */
  readonly rows: NodeRows
}

/** What there is of a trail. */
export interface Trail {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[]
  /** Entries before these that are lost. */
  readonly missing: number
}

export class AuditTrail {
  readonly #deps: AuditTrailDeps

  constructor(deps: AuditTrailDeps) {
    this.#deps = deps
  }

  /** Adds an entry. Resolves when it is durable in the Child's mailbox. Cut off, the entry may be there all the same, and the next
   *  call brings it there first. One call at a time.
   *  @throws {AbzuError} ABZU_QUOTA_EXCEEDED, those of HostingPort.deliver and of the store */
  async append(
    child: { readonly rootPk: Uint8Array; readonly doorToken: Uint8Array },
    {
      by,
      byRoot,
      ...said
    }: { by: EntrySigner; byRoot: Uint8Array } & Pick<
      AuditEntry,
      'kind' | 'fromMs' | 'untilMs' | 'reason'
    >,
  ): Promise<AuditEntry> {
    const { platform, clock, rows } = this.#deps
    const { rootPk } = child
    const last = this.#row(rootPk)
    if (last.letter) await this.#deliverLate(child, last.letter)
    if (last.waiting.length >= waitingMax) {
      const message = `${waitingMax} entries wait for this child to see them`
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', message)
    }
    const chained = { v: 1, number: last.count + 1, previous: last.head } as const
    const entry = auditEntryShape(
      { ...chained, ...said, by: byRoot, byName: by.name, atMs: clock.nowMs() },
      'audit entry',
    )
    const body = encode({ ...entry })
    const head = auditHash(platform, rootPk, body)
    const port = this.#deps.hosting.mailbox(mailboxIdOf(platform, rootPk))
    const { prekey } = (await readOwnRecord({ platform, port, rootPk })).record
    const letter = await by.sealEntry(body, {
      msgId: head.slice(0, 16),
      recipientRoot: rootPk,
      prekey,
    })
    const recipients = await sealKeysOf(this.#deps, rootPk)
    const context = copyContext(rootPk)
    const waiting = [
      ...last.waiting,
      await sealNote(platform, { recipients, context, plain: body }),
    ]
    const row: Row = { v: 1, count: entry.number, head, waiting }
    await rows.put(rootPk, encode({ ...rowShape({ ...row, letter }, 'audit trail') }))
    await this.#deliver(child, letter)
    await rows.put(rootPk, encode({ ...rowShape(row, 'audit trail') }))
    return entry
  }

  /** Takes into the Child's vault what waits for it. Before the account is used.
   *  @throws {AbzuError} those of the store */
  async handOver(account: Account): Promise<void> {
    const { rows } = this.#deps
    const { rootPk } = account
    const row = this.#row(rootPk)
    if (row.waiting.length === 0) return
    const drafts = []
    for (const note of row.waiting) {
      const body = await openedBy(account, note)
      if (body) drafts.push(auditDraft(account, body))
    }
    await account.write(drafts)
    await rows.put(rootPk, encode({ ...rowShape({ ...row, waiting: [] }, 'audit trail') }))
  }

  /** Follows the chain back from its end. What is in the vault and not in the chain counts for nothing.
   *  @throws {AbzuError} those of the store */
  async read(account: Account): Promise<Trail> {
    const { platform } = this.#deps
    const { count, head, waiting } = this.#row(account.rootPk)
    const fresh = new Map<string, Uint8Array>()
    for (const note of waiting) {
      const body = await openedBy(account, note)
      if (body) fresh.set(String(auditHash(platform, account.rootPk, body)), body)
    }
    const entries: AuditEntry[] = []
    for (let hash = head; entries.length < count;) {
      const body = fresh.get(String(hash)) ?? (await readAuditEntry(account, hash))
      if (!body) break
      const entry = decodeShape(auditEntryShape, body, 'audit entry')
      entries.unshift(entry)
      hash = entry.previous
    }
    return { entries, missing: count - entries.length }
  }

  /** What a stop has cut off. One that is too late is in what waits for the Child all the same. */
  async #deliverLate(
    child: { readonly rootPk: Uint8Array; readonly doorToken: Uint8Array },
    letter: Uint8Array,
  ): Promise<void> {
    try {
      await this.#deliver(child, letter)
    } catch (error) {
      if (!isAbzuError(error, 'ABZU_EXPIRED') && !isAbzuError(error, 'ABZU_STALE_KEY')) throw error
    }
  }

  async #deliver(
    { rootPk, doorToken }: { readonly rootPk: Uint8Array; readonly doorToken: Uint8Array },
    envelope: Uint8Array,
  ): Promise<void> {
    const { platform, hosting } = this.#deps
    const to = mailboxIdOf(platform, rootPk)
    const doorKey = doorKeyOf(platform, doorToken)
    const proof = doorProof(platform, doorKey, to, itemIdOf(platform, envelope))
    await hosting.deliver({ to, envelope, doorId: doorIdOf(platform, doorKey), proof })
  }

  #row(child: Uint8Array): Row {
    const value = this.#deps.rows.get(child)
    if (!value) return { v: 1, count: 0, head: auditStart, waiting: [] }
    return decodeShape(rowShape, value, 'audit trail')
  }
}

/** Undefined where it was sealed to a device that the account has no more: its letter brings it. */
async function openedBy(account: Account, note: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    return await account.openNote(note, copyContext(account.rootPk))
  } catch (error) {
    if (isAbzuError(error, 'ABZU_SEAL_BROKEN')) return undefined
    throw error
  }
}

function copyContext(child: Uint8Array): Uint8Array {
  return concatBytes(labels.auditCopy, child)
}
