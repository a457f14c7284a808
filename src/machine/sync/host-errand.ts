import type { ItemStore } from '../../base/store/item-store.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { PullerMessage } from '../../base/wire/sync.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { HeldRecords } from '../node/held-records.ts'
import type { CopyRoom } from './copy-room.ts'
import { introductionSlots } from './introduction.ts'
import type { Errand, Mark } from './puller.ts'
import { sumOfItems, sumOfSet, type SharedMailboxes } from './shared-mailboxes.ts'
import type { SourceCursor } from './sync-cursors.ts'

export interface HostErrandDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly items: Pick<ItemStore, 'slot' | 'digest'>
  readonly mailboxes: Pick<Mailboxes, 'rootOf' | 'hostsOf' | 'left'>
  /** Records that are known of mailboxes which are not here.
   *  @default none */
  readonly held?: Pick<HeldRecords, 'get'>
  readonly shared: Pick<SharedMailboxes, 'with' | 'isOffered'>
  readonly room: Pick<CopyRoom, 'left' | 'taken'>
  readonly self: PeerId
}

/** A node brings its copies up to date with those of another host, for as long as both are there. */
export class HostErrand implements Errand {
  readonly named: readonly PeerId[]
  readonly #deps: HostErrandDeps
  readonly #peer: PeerId
  readonly #cursor: SourceCursor
  readonly #marked: (isVerified: boolean) => void
  /** Received in this session. */
  items = 0
  bytes = 0

  constructor(
    deps: HostErrandDeps,
    {
      peer,
      cursor,
      marked,
    }: { peer: PeerId; cursor: SourceCursor; marked: (isVerified: boolean) => void },
  ) {
    this.#deps = deps
    this.#peer = peer
    this.#cursor = cursor
    this.#marked = marked
    this.named = [deps.self, peer]
  }

  async greet(say: (message: PullerMessage) => Promise<void>): Promise<void> {
    for (const { mailbox } of this.#deps.shared.with(this.#peer).values()) {
      // who is given nothing is told by nobody else that it has left
      const isGiven = this.#deps.shared.isOffered(this.#peer, mailbox)
      if (isGiven && this.#cursor.has(mailbox)) continue
      const introduction = await this.introduction(mailbox)
      if (introduction) await say(introduction)
    }
    const { cursor, members } = this.#cursor
    const { epoch = new Uint8Array(), upTo = 0 } = cursor ?? {}
    const here = [...members].filter(({ mailbox }) => this.#isHere(mailbox))
    await say({ kind: 'hello', epoch, upTo, set: sumOfSet(here) })
  }

  /** Tells the source of a record that it may not know, where by it the two share a mailbox. */
  async introduction(mailbox: MailboxId): Promise<PullerMessage | undefined> {
    const rootPk = this.#deps.mailboxes.rootOf(mailbox)
    if (!rootPk || !(await this.#isShared(mailbox))) return undefined
    const slots = await introductionSlots(this.#deps, mailbox)
    const copies = slots.map((slot) => ({
      kind: 'slot' as const,
      expiresAtHours: 0,
      pool: 0,
      ...slot,
    }))
    return { kind: 'introduce', rootPk, slots: copies }
  }

  greeted(): Iterable<MailboxId> {
    return Array.from(this.#cursor.members, ({ mailbox }) => mailbox)
  }

  isKnown(mailbox: MailboxId, epoch: Uint8Array): boolean {
    const { cursor } = this.#cursor
    const isOfEpoch = cursor !== undefined && equalBytes(cursor.epoch, epoch)
    return isOfEpoch && this.#cursor.has(mailbox) && this.#isHere(mailbox)
  }

  /** Of a copy that was dropped the cursor says nothing any more. */
  #isHere(mailbox: MailboxId): boolean {
    return this.#deps.mailboxes.rootOf(mailbox) !== undefined
  }

  async isWelcome(mailbox: MailboxId): Promise<boolean> {
    const { mailboxes, held, room } = this.#deps
    if (mailboxes.rootOf(mailbox)) return this.#isShared(mailbox)
    if (mailboxes.left.has(mailbox, held?.get(mailbox))) return false
    return (await room.left(this.#peer, mailbox)) > 0
  }

  async #isShared(mailbox: MailboxId): Promise<boolean> {
    const hosts = await this.#deps.mailboxes.hostsOf(mailbox)
    return this.named.every((peer) => hosts.some(({ peerId }) => peerId === peer))
  }

  async expectRoom(mailbox: MailboxId, bytes: number): Promise<void> {
    const { room } = this.#deps
    if (bytes > (await room.left(this.#peer, mailbox))) {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', 'no more is kept for this peer')
    }
    room.taken(this.#peer, bytes)
  }

  claim(): never {
    throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'a challenge without an appeal')
  }

  extent(): void {}

  stored({ items, bytes }: { readonly items: number; readonly bytes: number }): void {
    this.items += items
    this.bytes += bytes
  }

  async marked({ epoch, upTo, set, items, mailboxes }: Mark): Promise<void> {
    const { cursor, members } = this.#cursor
    const here = mailboxes.map((mailbox) => ({ mailbox }))
    const now = sumOfSet(here)
    const isAsBefore =
      cursor?.upTo === upTo &&
      equalBytes(cursor.epoch, epoch) &&
      equalBytes(sumOfSet(members).sum, now.sum)
    if (!isAsBefore) await this.#cursor.advance({ epoch, upTo }, mailboxes)
    const isAll = equalBytes(now.sum, set.sum)
    this.#marked(isAll && equalBytes(sumOfItems(this.#deps.items, here).sum, items.sum))
  }
}
