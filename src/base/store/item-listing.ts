/** Items of a mailbox in the order of their arrival: what the database has of them, and what is in the journal alone.
 *  @module */

import type { MailboxId } from '../util/brand.ts'
import type { Database } from './database.ts'
import { decodeHead, type StoredHead } from './head.ts'
import type { ItemIndex } from './item-index.ts'
import type { ItemKind } from './item-store.ts'
import { arrivalKey, family, itemKinds, rangeOf } from './keys.ts'

export interface ItemListingDeps {
  readonly database: Pick<Database, 'page'>
  readonly index: Pick<ItemIndex, 'journaledOf' | 'isInDatabase'>
}

interface HeadPage {
  readonly kind: ItemKind
  readonly after?: number | undefined
  readonly limit: number
}

const headsPerPage = 1024
/** Slots say who may sign for what follows, and which mail is acknowledged. */
const kindsInOrder = ['slot', 'mail', 'chunk'] as const

export class ItemListing {
  readonly #deps: ItemListingDeps

  constructor(deps: ItemListingDeps) {
    this.#deps = deps
  }

  /** At most `limit` of one kind.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  async heads(mailbox: MailboxId, { kind, after, limit }: HeadPage): Promise<StoredHead[]> {
    // Looked at first: what the database takes over meanwhile is then seen twice, and not never.
    const journaled = this.#deps.index.journaledOf(mailbox, kind, after ?? 0)
    const rows = await this.#deps.database.page(rangeOf(family.arrival, mailbox, itemKinds[kind]), {
      limit,
      after: after === undefined ? undefined : arrivalKey(mailbox, itemKinds[kind], after),
    })
    return merged(
      rows.map(([key, value]) => decodeHead(key, value)),
      journaled,
    ).slice(0, limit)
  }

  /** What arrived behind `after`, in pages: slots first.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  async *news(mailbox: MailboxId, after: number): AsyncIterable<StoredHead[]> {
    const few = await this.#few(mailbox, after)
    if (few) {
      if (few.length > 0) yield few
      return
    }
    for (const kind of kindsInOrder) {
      for (let from: number | undefined = after; from !== undefined;) {
        const page: StoredHead[] = await this.heads(mailbox, {
          kind,
          after: from,
          limit: headsPerPage,
        })
        if (page.length > 0) yield page
        from = page.length < headsPerPage ? undefined : page.at(-1)?.arrival
      }
    }
  }

  /** All of it by one look or none at the database; undefined where that does not do. */
  async #few(mailbox: MailboxId, after: number): Promise<StoredHead[] | undefined> {
    const { database, index } = this.#deps
    const journaled = index.journaledOf(mailbox, undefined, after)
    if (!index.isInDatabase(after)) return inOrder(journaled)
    if (after > 0) return undefined
    const rows = await database.page(rangeOf(family.arrival, mailbox), { limit: headsPerPage })
    if (rows.length === headsPerPage) return undefined
    const known = new Map(journaled.map((head) => [head.arrival, head]))
    for (const [key, value] of rows) {
      const head = decodeHead(key, value)
      known.set(head.arrival, head)
    }
    return inOrder([...known.values()])
  }
}

/** Heads of one kind, of which the later ones may be in the journal only. */
function merged(stored: readonly StoredHead[], journaled: readonly StoredHead[]): StoredHead[] {
  const last = stored.at(-1)?.arrival ?? 0
  return [...stored, ...journaled.filter(({ arrival }) => arrival > last)]
}

function inOrder(heads: readonly StoredHead[]): StoredHead[] {
  return kindsInOrder.flatMap((kind) =>
    heads.filter((head) => head.kind === kind).toSorted((a, b) => a.arrival - b.arrival),
  )
}
