import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { plainSlotKey } from '../../base/crypto/slot-header.ts'
import type { ItemStore, StoredSlot } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { mailboxIdOf } from '../../base/crypto/address.ts'
import { mapKey } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { CopiedItem } from '../../base/wire/copied-item.ts'
import { plainSlotName } from '../../base/wire/plain-slot.ts'
import { parseSlotHeader } from '../../base/wire/slot.ts'
import type { SignedSlot } from './hosted-mailbox.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { OwnMailbox } from './own-mailbox.ts'

export interface CarriageDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly items: ItemStore
  readonly mailboxes: Pick<Mailboxes, 'rootOf' | 'host' | 'mailbox' | 'takeCopies' | 'putSlots'>
}

/** Items whose bodies are read at once. */
const pageItems = 64
const noHeader = new Uint8Array()

/** Mailboxes as a whole, on their way out of this node and into it. */
export class Carriage {
  readonly #deps: CarriageDeps

  constructor(deps: CarriageDeps) {
    this.#deps = deps
  }

  extent(mailbox: MailboxId): { items: number; bytes: number } {
    const { items } = this.#deps
    const bytes = items.usage(mailbox).reduce((sum, pool) => sum + pool.bytes, 0)
    return { items: items.digest(mailbox).count, bytes }
  }

  /** Every item that stays while this is read, once; identity and record first.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED where one cannot be read */
  async *copies(mailbox: MailboxId): AsyncGenerator<readonly CopiedItem[]> {
    const { items, platform } = this.#deps
    const first = [plainSlotName.identity, plainSlotName.record].map((name) =>
      plainSlotKey(platform, mailbox, name),
    )
    const introduction = await Promise.all(first.map(async (key) => items.slot(mailbox, key)))
    yield introduction.flatMap((slot) => (slot ? [copiedSlot(slot)] : []))
    const told = new Set(first.map(mapKey))
    for await (const slot of items.slots(mailbox)) {
      if (!told.has(mapKey(parseSlotHeader(slot.signed).header.key))) yield [copiedSlot(slot)]
    }
    for (const kind of ['chunk', 'mail'] as const) yield* this.#bodies(mailbox, kind)
  }

  async *#bodies(
    mailbox: MailboxId,
    kind: 'chunk' | 'mail',
  ): AsyncGenerator<readonly CopiedItem[]> {
    const { items } = this.#deps
    let after: number | undefined
    do {
      const page = { kind, limit: pageItems, ...(after !== undefined && { after }) }
      const { items: heads, next } = await items.list(mailbox, page)
      const ids = heads.map(({ id }) => id)
      const read = await items.getMany(mailbox, ids)
      const copies: CopiedItem[] = []
      for (const [n, item] of read.entries()) {
        if (item) copies.push({ ...item, kind, signed: noHeader })
        else if (items.has(mailbox, ids[n]!)) {
          throw new AbzuError('ABZU_STORE_DAMAGED', `a ${kind} of the mailbox cannot be read`)
        }
      }
      if (copies.length > 0) yield copies
      after = next
    } while (after !== undefined)
  }

  /** Hosts a mailbox by its identity and its record; one that is here stays. Resolves after fsync.
   *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID, those of the store */
  async begin(rootPk: Uint8Array, introduction: readonly SignedSlot[]): Promise<OwnMailbox> {
    const { platform, mailboxes } = this.#deps
    const mailbox = mailboxIdOf(platform, rootPk)
    if (mailboxes.rootOf(mailbox)) return mailboxes.mailbox(mailbox)
    return mailboxes.host(rootPk, introduction)
  }

  /** Takes in what is not here; of two slots the newer one stays. Resolves after fsync.
   *  @throws {AbzuError} ABZU_NOT_HOSTED, those of the store */
  async take(mailbox: MailboxId, copies: readonly CopiedItem[]): Promise<void> {
    await this.#deps.mailboxes.takeCopies(mailbox, copies)
  }

  /** Stores slots of the account and, in the same commit, its local row: both or neither. Resolves after fsync.
   *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID, ABZU_QUOTA_EXCEEDED, those of the store */
  async settle(
    mailbox: MailboxId,
    slots: readonly SignedSlot[],
    row: { readonly key: Uint8Array; readonly value: Uint8Array },
  ): Promise<void> {
    await this.#deps.mailboxes.putSlots(mailbox, slots, [{ table: 'accounts', ...row }])
  }
}

function copiedSlot({ signed, body }: StoredSlot): CopiedItem {
  return { kind: 'slot', expiresAtHours: 0, pool: 0, signed, body }
}
