/** Which hosted mailboxes have copies elsewhere, so that nobody has to read the records of all to know. @module */

import type { RowChange, Table } from '../../base/store/table.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, equalBytes, utf8 } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { Host } from '../../base/wire/records.ts'

export interface CopiedMailboxesDeps {
  readonly table: Table
  readonly self: PeerId
  /** Every mailbox that is hosted here. */
  readonly hosted: () => AsyncIterable<{ readonly mailbox: MailboxId }>
  /** By the newest record of a mailbox.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  readonly hostsOf: (mailbox: MailboxId) => Promise<readonly Host[]>
}

/** Beside the rows: the epoch of the store that they are complete for. No mailbox has a key so short. */
const completeKey = utf8('complete')
const nothing = new Uint8Array()

/**
 * A row for each hosted mailbox whose record names another host, or did so once: too many are read rather than too
 * few. A row is written with the record; where the store is of before there were such rows, or has lost any, they are
 * made anew.
 */
export class CopiedMailboxes {
  readonly #deps: CopiedMailboxesDeps

  constructor(deps: CopiedMailboxesDeps) {
    this.#deps = deps
  }

  /** What is to be written with a record that names `hosts`.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  rowsOf(mailbox: MailboxId, hosts: readonly Host[]): RowChange[] {
    const { table } = this.#deps
    if (!this.#isCopied(hosts) || table.get(mailbox)) return []
    return [{ table: table.name, key: mailbox, value: nothing }]
  }

  /** Whether a mailbox is one of them, once `all` was read.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  has(mailbox: MailboxId): boolean {
    return this.#deps.table.get(mailbox) !== undefined
  }

  /** All of them, in no particular order.
   *  @param epoch of the store now
   *  @throws {AbzuError} those of the store */
  async *all(epoch: Uint8Array): AsyncIterable<MailboxId> {
    const { table } = this.#deps
    const complete = table.get(completeKey)
    if (!complete || !equalBytes(complete, epoch)) await this.#gather(epoch)
    for await (const { key } of table.range({ limit: Infinity })) {
      if (key.length !== completeKey.length) yield concatBytes(key) as MailboxId
    }
  }

  async #gather(epoch: Uint8Array): Promise<void> {
    const { table, hosted, hostsOf } = this.#deps
    for await (const { mailbox } of hosted()) {
      if (!table.get(mailbox) && (await this.#mayBeCopied(mailbox, hostsOf))) {
        await table.put(mailbox, nothing)
      }
    }
    await table.put(completeKey, epoch)
  }

  /** One whose record cannot be read may be. */
  async #mayBeCopied(
    mailbox: MailboxId,
    hostsOf: CopiedMailboxesDeps['hostsOf'],
  ): Promise<boolean> {
    try {
      return this.#isCopied(await hostsOf(mailbox))
    } catch (error) {
      if (!(error instanceof AbzuError)) throw error
      return true
    }
  }

  #isCopied(hosts: readonly Host[]): boolean {
    return hosts.some(({ peerId }) => peerId !== this.#deps.self)
  }
}
