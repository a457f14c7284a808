import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { concatBytes, mapKey } from '../../base/util/bytes.ts'
import { HostedMailbox, type HostPlatform } from './hosted-mailbox.ts'

export interface HostedShelfDeps {
  readonly platform: HostPlatform
  readonly items: ItemStore
  /** Root public key of a mailbox that is hosted here. */
  readonly rootOf: (mailbox: MailboxId) => Uint8Array | undefined
  /** Whether a mailbox, by its key, has to stay in memory now. */
  readonly isInUse: (key: string) => boolean
  readonly mailboxesMax: number
}

/** Mailboxes whose doors and keys are in memory: those that were asked for of late. */
export class HostedShelf {
  readonly #deps: HostedShelfDeps
  readonly #loading = new Map<string, Promise<HostedMailbox>>()
  readonly #ready = new Map<string, HostedMailbox>()

  constructor(deps: HostedShelfDeps) {
    this.#deps = deps
  }

  /** Where it is in memory. */
  ready(mailbox: Uint8Array): HostedMailbox | undefined {
    return this.#ready.get(mapKey(mailbox))
  }

  /** The next one that asks for it reads it anew. */
  forget(mailbox: MailboxId): void {
    this.#ready.delete(mapKey(mailbox))
  }

  /** Undefined where it is not hosted here.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  async get(mailbox: MailboxId): Promise<HostedMailbox | undefined> {
    const key = mapKey(mailbox)
    const known = this.#ready.get(key) ?? this.#loading.get(key)
    if (known) return known
    const rootPk = this.#deps.rootOf(mailbox)
    if (!rootPk) return undefined
    const load = this.#load(concatBytes(mailbox) as MailboxId, rootPk)
    this.#loading.set(key, load)
    try {
      return await load
    } finally {
      this.#loading.delete(key)
    }
  }

  async #load(mailbox: MailboxId, rootPk: Uint8Array): Promise<HostedMailbox> {
    const hosted = await HostedMailbox.load(this.#deps, { mailbox, rootPk })
    if (this.#deps.rootOf(mailbox)) this.keep(hosted)
    return hosted
  }

  /** Bounded: the mailbox that was loaded first makes room, unless it is in use. */
  keep(hosted: HostedMailbox): void {
    this.#ready.set(hosted.key, hosted)
    if (this.#ready.size <= this.#deps.mailboxesMax) return
    for (const key of this.#ready.keys()) {
      if (this.#deps.isInUse(key)) continue
      this.#ready.delete(key)
      return
    }
  }
}
