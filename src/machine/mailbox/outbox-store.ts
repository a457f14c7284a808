/** What of the outbox is on the disk: letters that have no last outcome, and outcomes that their sender has not taken
 *  over. @module */

import type { RowChange, Table, TableName } from '../../base/store/table.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { concatBytes, mapKey, readU64be } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { Turns } from '../../base/util/turns.ts'
import type { Parcel } from './courier.ts'
import type { Letter } from './lane.ts'
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

export interface OutboxStoreDeps {
  table(name: TableName): Table
  commit(rows: readonly RowChange[]): Promise<void>
}

/** A change that is durable: whose letter it was, and whether there is an outcome to tell. */
export interface Noted {
  readonly from: MailboxId
  readonly isTold: boolean
}

const outcomesPage = 256
const scanPage = 512

export class OutboxStore {
  readonly #commit: OutboxStoreDeps['commit']
  readonly #heads: Table
  readonly #envelopes: Table
  readonly #outcomes: Table
  /** Per letter, since each change reads what the one before it left. */
  readonly #changes = new Turns()

  constructor(deps: OutboxStoreDeps) {
    this.#commit = async (rows) => deps.commit(rows)
    this.#heads = deps.table('outbox')
    this.#envelopes = deps.table('outbox-envelopes')
    this.#outcomes = deps.table('outcomes')
  }

  /** Whose outcomes there are, and of which places. */
  async *allOutcomes(): AsyncIterable<{ from: MailboxId; seq: number }> {
    for await (const { key } of pages(this.#outcomes)) {
      yield { from: key.slice(0, 32) as MailboxId, seq: readU64be(key, 32) }
    }
  }

  /** Every letter, in the order of posting. */
  async *allHeads(): AsyncIterable<{ seq: number; head: OutboxHead }> {
    for await (const { key, value } of pages(this.#heads)) {
      yield { seq: readU64be(key), head: decodeHead(value) }
    }
  }

  head(seq: number): OutboxHead | undefined {
    const row = this.#heads.get(placeKey(seq))
    return row && decodeHead(row)
  }

  /** @throws {AbzuError} ABZU_STORE_DAMAGED, ABZU_MALFORMED */
  parcel({ seq, id }: Letter): Parcel {
    const head = this.head(seq)
    const envelope = this.#envelopes.get(placeKey(seq))
    if (!head || !envelope) throw new AbzuError('ABZU_STORE_DAMAGED', 'a queued letter is gone')
    return { id, mailbox: head.to, ...passOfHead(head), envelope }
  }

  /** Resolves after fsync. */
  async put(seq: number, head: Omit<OutboxHead, 'v'>, envelope: Uint8Array): Promise<void> {
    const key = placeKey(seq)
    await this.#commit([
      { table: this.#heads.name, key, value: encodeHead(head) },
      { table: this.#envelopes.name, key, value: envelope },
    ])
  }

  /** Adds that a holder has the letter, which stays; resolves after fsync, to undefined where it was known, or the
   *  letter is gone. */
  async hold(
    { seq }: Letter,
    outcome: OutboxOutcome & { holdUntilHours: number },
  ): Promise<Noted | undefined> {
    return this.#changes.run(`${seq}`, async () => {
      const head = this.head(seq)
      if (!head || head.heldUntilHours !== undefined) return undefined
      const from = concatBytes(head.from) as MailboxId
      const held = { ...head, heldUntilHours: outcome.holdUntilHours }
      await this.#commit([
        { table: this.#heads.name, key: placeKey(seq), value: encodeHead(held) },
        this.#outcomeRow(from, seq, outcome),
      ])
      return { from, isTold: true }
    })
  }

  /** Changes where a letter goes, and by which record. Resolves after fsync, to false where the letter is gone. */
  async reroute(
    { seq }: Letter,
    next: Required<Pick<OutboxHead, 'hosts' | 'sealedBy'>>,
  ): Promise<boolean> {
    return this.#changes.run(`${seq}`, async () => {
      const head = this.head(seq)
      if (!head) return false
      const value = encodeHead({ ...head, ...next })
      await this.#commit([{ table: this.#heads.name, key: placeKey(seq), value }])
      return true
    })
  }

  /** Replaces the letter by its last outcome, in one commit; that of a letter which a holder was given is not that
   *  it expired. Resolves after fsync, to undefined where the letter is gone. */
  async conclude({ seq }: Letter, outcome: OutboxOutcome): Promise<Noted | undefined> {
    return this.#changes.run(`${seq}`, async () => {
      const head = this.head(seq)
      if (!head) return undefined
      const from = concatBytes(head.from) as MailboxId
      const isTold = outcome.state !== 'expired' || head.heldUntilHours === undefined
      const key = placeKey(seq)
      await this.#commit([
        { table: this.#heads.name, key, value: undefined },
        { table: this.#envelopes.name, key, value: undefined },
        ...(isTold ? [this.#outcomeRow(from, seq, outcome)] : []),
      ])
      return { from, isTold }
    })
  }

  #outcomeRow(from: MailboxId, seq: number, outcome: OutboxOutcome): RowChange {
    const key = outcomeKey(from, seq, outcome)
    return { table: this.#outcomes.name, key, value: encodeOutcome(outcome) }
  }

  /** At most 256, oldest first. */
  async outcomes(from: MailboxId): Promise<OutboxOutcome[]> {
    const outcomes: OutboxOutcome[] = []
    for await (const { value } of this.#outcomes.range({ prefix: from, limit: outcomesPage })) {
      outcomes.push(decodeOutcome(value))
    }
    return outcomes
  }

  /** Forgets these outcomes, and no later ones of the same letters. Resolves after fsync to their number. */
  async settle(
    from: MailboxId,
    outcomes: readonly Pick<OutboxOutcome, 'id' | 'state'>[],
  ): Promise<number> {
    const settled = new Set(outcomes.map(nameOf))
    const rows: RowChange[] = []
    for await (const { key, value } of this.#outcomes.range({
      prefix: from,
      limit: outcomesPage,
    })) {
      if (!settled.has(nameOf(decodeOutcome(value)))) continue
      rows.push({ table: this.#outcomes.name, key, value: undefined })
    }
    if (rows.length > 0) await this.#commit(rows)
    return rows.length
  }
}

function nameOf({ id, state }: Pick<OutboxOutcome, 'id' | 'state'>): string {
  return `${mapKey(id)} ${state}`
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
