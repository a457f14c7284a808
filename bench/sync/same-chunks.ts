/** @module */

import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { ItemStore, NewItem } from '../../src/base/store/item-store.ts'
import type { ItemId, MailboxId } from '../../src/base/util/brand.ts'
import { u32be } from '../../src/base/util/bytes.ts'

const chunksAtOnce = 2000

/** Chunks that are the same at every node: each is its number, in four bytes. */
export class SameChunks {
  readonly #platform: Pick<CryptoPlatform, 'sha256'>
  readonly #items: Pick<ItemStore, 'append' | 'remove'>

  constructor(
    platform: Pick<CryptoPlatform, 'sha256'>,
    items: Pick<ItemStore, 'append' | 'remove'>,
  ) {
    this.#platform = platform
    this.#items = items
  }

  /** Those from 0 on, as if they had been here for long: nobody is told. Resolves after fsync. */
  async put(mailbox: MailboxId, count: number): Promise<void> {
    for (let from = 0; from < count; from += chunksAtOnce) {
      const length = Math.min(chunksAtOnce, count - from)
      await this.#items.append(Array.from({ length }, (_, n) => this.#chunk(mailbox, from + n)))
    }
  }

  /** Resolves after fsync. */
  async lose(mailbox: MailboxId, { from, count }: { from: number; count: number }): Promise<void> {
    const ids = Array.from({ length: count }, (_, n) => this.#id(u32be(from + n)))
    await this.#items.remove(mailbox, ids)
  }

  #chunk(mailbox: MailboxId, number: number): NewItem {
    const body = u32be(number)
    const kept = { receivedAtMs: 0, expiresAtHours: 0, pool: 0 }
    return { mailbox, kind: 'chunk', id: this.#id(body), ...kept, body }
  }

  #id(body: Uint8Array): ItemId {
    return this.#platform.sha256(body) as ItemId
  }
}
