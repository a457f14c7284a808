import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { concatBytes } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import {
  offerItemsMax,
  probePrefixesMax,
  sharePageMax,
  type ProbeDepth,
  type PullerMessage,
} from '../../base/wire/sync.ts'
import { below, branches, differences, idsOf, trunk } from './id-tree.ts'

export interface RepairDeps {
  readonly items: Pick<ItemStore, 'digest' | 'idPrefixes'>
  /** Asks the source; resolves to the sums that it answers. */
  readonly ask: (question: PullerMessage) => Promise<Uint8Array>
  readonly say: (message: PullerMessage) => void
  /** Whether an item that the source has, by the first 16 bytes of its id, is lacking here. */
  readonly wants: (mailbox: MailboxId, idPrefix: Uint8Array) => boolean
}

/** What a comparison of two copies came to. */
export interface Repaired {
  /** Asked for, since they are lacking here. */
  readonly items: number
  /** Neither lacks anything. */
  readonly isSame: boolean
}

/** Finds what the source has of these mailboxes, in the order of its list, and this node lacks though it should have it:
 *  first which mailboxes differ, then where among their ids, 16 ways a step. Has it offered again.
 *  @throws {AbzuError} why the stream failed; ABZU_PROTOCOL_VIOLATION; those of the store */
export async function repair(deps: RepairDeps, mailboxes: readonly MailboxId[]): Promise<Repaired> {
  let items = 0
  const differ = await differing(deps, mailboxes)
  for (const mailbox of differ) {
    const lacking = await lackingIds(deps, mailbox)
    for (let at = 0; at < lacking.length; at += offerItemsMax) {
      const ids = concatBytes(...lacking.slice(at, at + offerItemsMax))
      deps.say({ kind: 'fetch', mailbox, ids })
    }
    items += lacking.length
  }
  return { items, isSame: differ.length === 0 }
}

async function differing(
  { items, ask }: RepairDeps,
  mailboxes: readonly MailboxId[],
): Promise<MailboxId[]> {
  const found: MailboxId[] = []
  for (let from = 0; from < mailboxes.length; from += sharePageMax) {
    const page = mailboxes.slice(from, from + sharePageMax)
    const theirs = await ask({ kind: 'survey', from })
    const own = concatBytes(...page.map((mailbox) => trunk(items.digest(mailbox))))
    for (const n of differences(own, theirs)) found.push(page[n] as MailboxId)
  }
  return found
}

async function lackingIds(deps: RepairDeps, mailbox: MailboxId): Promise<Uint8Array[]> {
  let prefixes: number[] = [0]
  for (const depth of [0, 8, 12] as const) {
    const next: number[] = []
    for (const some of slices(prefixes)) {
      const theirs = await deps.ask({ kind: 'probe', mailbox, depth, prefixes: some })
      const own = await branches(deps.items, mailbox, { depth, prefixes: some })
      next.push(...below(depth, some, differences(own, theirs)))
    }
    prefixes = next
  }
  const lacking: Uint8Array[] = []
  for (const some of slices(prefixes)) {
    const depth: ProbeDepth = 16
    const theirs = idsOf(await deps.ask({ kind: 'probe', mailbox, depth, prefixes: some }))
    lacking.push(...theirs.filter((id) => deps.wants(mailbox, id)))
  }
  return lacking
}

function* slices(prefixes: readonly number[]): Iterable<number[]> {
  for (let at = 0; at < prefixes.length; at += probePrefixesMax) {
    yield prefixes.slice(at, at + probePrefixesMax)
  }
}

/** Questions to a source that answers them in order. */
export class Questions {
  readonly #waiting: PromiseWithResolvers<Uint8Array>[] = []
  #end: AbzuError | undefined

  /** Resolves to the next answer that nobody waits for yet. */
  async next(): Promise<Uint8Array> {
    if (this.#end) throw this.#end
    const waiting = Promise.withResolvers<Uint8Array>()
    this.#waiting.push(waiting)
    return waiting.promise
  }

  /** @throws {AbzuError} ABZU_PROTOCOL_VIOLATION where nothing was asked */
  answer(sums: Uint8Array): void {
    const waiting = this.#waiting.shift()
    if (!waiting) throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'an answer to no question')
    waiting.resolve(sums)
  }

  end(reason: AbzuError): void {
    this.#end = reason
    for (const { reject, promise } of this.#waiting.splice(0)) {
      promise.catch(() => undefined)
      reject(reason)
    }
  }
}
