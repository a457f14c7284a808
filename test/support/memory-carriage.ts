/** Mailboxes as a whole, out of a node in memory and into it. @module */

import { mailboxIdOf } from '../../src/base/crypto/address.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { itemIdOf } from '../../src/base/crypto/address.ts'
import { plainSlotKey } from '../../src/base/crypto/slot-header.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { equalBytes, mapKey } from '../../src/base/util/bytes.ts'
import type { Clock } from '../../src/base/util/clock.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import { exportedBytes } from '../../src/base/wire/export.ts'
import type { CopiedItem } from '../../src/base/wire/copied-item.ts'
import { parseEnvelopeHeader } from '../../src/base/wire/envelope.ts'
import { plainSlotName } from '../../src/base/wire/plain-slot.ts'
import { parseSlotHeader } from '../../src/base/wire/slot.ts'
import type { CarriagePort, MailboxPort, SignedSlot } from '../../src/user/account/ports.ts'
import type { MemoryMailbox, MemoryNode } from './memory-ports.ts'

export class MemoryCarriage implements CarriagePort {
  readonly #node: MemoryNode
  readonly #deps: { platform: CryptoPlatform; clock: Clock }

  constructor(node: MemoryNode, deps: { platform: CryptoPlatform; clock: Clock }) {
    this.#node = node
    this.#deps = deps
  }

  extent(mailbox: MailboxId): { items: number; bytes: number } {
    const all = this.#all(mailbox)
    return { items: all.length, bytes: all.reduce((sum, item) => sum + exportedBytes(item), 0) }
  }

  async *copies(mailbox: MailboxId): AsyncGenerator<readonly CopiedItem[]> {
    this.#node.disk.expectAlive()
    for (const item of this.#all(mailbox)) yield [item]
  }

  async begin(rootPk: Uint8Array, introduction: readonly SignedSlot[]): Promise<MailboxPort> {
    const { mailboxes, hosting } = this.#node
    const mailbox = mailboxIdOf(this.#deps.platform, rootPk)
    return mailboxes.get(mapKey(mailbox)) ?? hosting.host(rootPk, introduction)
  }

  async take(mailbox: MailboxId, copies: readonly CopiedItem[]): Promise<void> {
    const own = this.#mailbox(mailbox)
    const slots = own.checkAll(copies.filter(({ kind }) => kind === 'slot'))
    await this.#node.disk.write(() => {
      own.apply(slots)
      for (const { body, pool } of copies.filter(({ kind }) => kind === 'mail')) {
        const id = itemIdOf(this.#deps.platform, body)
        if (!own.isKnown(id)) own.inject(body, pool === 3)
      }
    })
  }

  async settle(
    mailbox: MailboxId,
    slots: readonly SignedSlot[],
    row: { readonly key: Uint8Array; readonly value: Uint8Array },
  ): Promise<void> {
    const own = this.#mailbox(mailbox)
    const checked = own.checkAll(slots)
    await this.#node.disk.write(() => {
      own.apply(checked)
      this.#node.tables.onDisk('accounts').set(mapKey(row.key), row)
    })
  }

  #mailbox(mailbox: MailboxId): MemoryMailbox {
    const own = this.#node.mailboxes.get(mapKey(mailbox))
    if (!own) throw new AbzuError('ABZU_NOT_HOSTED', 'not hosted')
    return own
  }

  /** Identity and record first. */
  #all(mailbox: MailboxId): CopiedItem[] {
    const { slotsOnDisk, mailOnDisk } = this.#mailbox(mailbox)
    const { platform } = this.#deps
    const first = [plainSlotName.identity, plainSlotName.record].map((name) =>
      plainSlotKey(platform, mailbox, name),
    )
    const place = ({ signed }: SignedSlot): number => {
      const { key } = parseSlotHeader(signed).header
      const n = first.findIndex((one) => equalBytes(one, key))
      return n < 0 ? first.length : n
    }
    const slots = [...slotsOnDisk.values()].sort((a, b) => place(a) - place(b))
    return [
      ...slots.map((slot) => ({ kind: 'slot' as const, expiresAtHours: 0, pool: 0, ...slot })),
      ...mailOnDisk.map(({ envelope, isStrange }) => ({
        kind: 'mail' as const,
        expiresAtHours: parseEnvelopeHeader(envelope).expiresAtHours,
        pool: isStrange ? 3 : 1,
        signed: new Uint8Array(),
        body: envelope,
      })),
    ]
  }
}
