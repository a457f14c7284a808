import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import { pool } from './admission.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { Outbox } from './outbox.ts'

export interface MailboxUsesDeps {
  readonly items: Pick<ItemStore, 'usage'>
  readonly mailboxes: Pick<Mailboxes, 'inbound' | 'room'>
  readonly outbox: Pick<Outbox, 'rates' | 'room'>
}

const nothing = { items: 0, bytes: 0 }

/** How much of its limits each mailbox uses, and the node. */
export class MailboxUses {
  readonly #deps: MailboxUsesDeps

  constructor(deps: MailboxUsesDeps) {
    this.#deps = deps
  }

  /** Rates in letters of the burst that are taken now; mail is that of contacts.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  of(mailbox: MailboxId) {
    const { items, mailboxes, outbox } = this.#deps
    const key = mapKey(mailbox)
    const usage = items.usage(mailbox)
    const [mail, vault] = [usage[pool.contact] ?? nothing, usage[pool.owner] ?? nothing]
    return {
      sending: outbox.rates.used(key),
      receiving: mailboxes.inbound.used(key),
      outboxItems: outbox.room.waiting(mailbox),
      mailItems: mail.items,
      mailBytes: mail.bytes,
      vaultItems: vault.items,
      vaultBytes: vault.bytes,
    }
  }

  /** @throws {AbzuError} ABZU_STORE_DAMAGED */
  async ofNode() {
    const { mailboxes, outbox } = this.#deps
    return {
      sending: outbox.rates.nodeUsed,
      receiving: mailboxes.inbound.nodeUsed,
      householdBytes: await mailboxes.room.usedBytes(),
    }
  }
}
