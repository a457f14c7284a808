/** How a mailbox leaves a node: nothing is taken in for it any more, and then all of it goes. @module */

import type { ItemStore } from '../../base/store/item-store.ts'
import type { Table } from '../../base/store/table.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'

export interface MailboxRemovalDeps {
  readonly items: ItemStore
  /** Which mailboxes are hosted. */
  readonly hostedRows: Table
  /** Which of them have copies elsewhere. */
  readonly copiedRows: Table
  /** How often doors were used, by mailbox and door. */
  readonly doorUses: Table
  /** Drops what is in memory of a mailbox. */
  readonly forget: (mailbox: MailboxId) => void
}

const rowsAtOnce = 256

export class MailboxRemoval {
  readonly #deps: MailboxRemovalDeps
  readonly #going = new Set<string>()

  constructor(deps: MailboxRemovalDeps) {
    this.#deps = deps
  }

  /** Whether a mailbox is on its way out: it counts as not hosted. */
  isGoing(mailbox: Uint8Array): boolean {
    return this.#going.size > 0 && this.#going.has(mapKey(mailbox))
  }

  /** Removes a mailbox. The row that says that it is hosted goes last, so that one that was cut off is found and
   *  removed by another call. Resolves after fsync; at once where it is not hosted.
   *  @throws {AbzuError} those of the store */
  async run(mailbox: MailboxId): Promise<void> {
    const { items, hostedRows, copiedRows, forget } = this.#deps
    if (!hostedRows.get(mailbox)) return
    const key = mapKey(mailbox)
    this.#going.add(key)
    try {
      forget(mailbox)
      await items.drop(mailbox)
      await this.#dropDoorUses(mailbox)
      await copiedRows.delete(mailbox)
      await hostedRows.delete(mailbox)
      // what was on its way to the disk when it began
      await items.drop(mailbox)
      await items.erase(mailbox)
    } finally {
      forget(mailbox)
      this.#going.delete(key)
    }
  }

  async #dropDoorUses(prefix: Uint8Array): Promise<void> {
    const { doorUses } = this.#deps
    for (;;) {
      const keys: Uint8Array[] = []
      for await (const { key } of doorUses.range({ prefix, limit: rowsAtOnce })) keys.push(key)
      if (keys.length === 0) return
      await Promise.all(keys.map(async (key) => doorUses.delete(key)))
    }
  }
}
