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
  /** Of all mailboxes in memory together, as many as they had when they were read. */
  readonly doorsMax: number
}

/** Mailboxes whose doors and keys are in memory: those that were asked for of late. */
export class HostedShelf {
  readonly #deps: HostedShelfDeps
  readonly #loading = new Map<string, Promise<HostedMailbox>>()
  readonly #ready = new Map<string, { readonly hosted: HostedMailbox; readonly doors: number }>()
  #doors = 0

  constructor(deps: HostedShelfDeps) {
    this.#deps = deps
  }

  /** Where it is in memory. */
  ready(mailbox: Uint8Array): HostedMailbox | undefined {
    return this.#ready.get(mapKey(mailbox))?.hosted
  }

  /** The next one that asks for it reads it anew. */
  forget(mailbox: MailboxId): void {
    this.#remove(mapKey(mailbox))
  }

  /** Undefined where it is not hosted here.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  async get(mailbox: MailboxId): Promise<HostedMailbox | undefined> {
    const key = mapKey(mailbox)
    const known = this.#ready.get(key)?.hosted ?? this.#loading.get(key)
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

  /** Bounded: the mailboxes that were loaded first make room, unless they are in use. */
  keep(hosted: HostedMailbox): void {
    const { mailboxesMax, doorsMax, isInUse } = this.#deps
    const doors = hosted.doorCount
    this.#remove(hosted.key)
    this.#ready.set(hosted.key, { hosted, doors })
    this.#doors += doors
    for (const key of this.#ready.keys()) {
      if (this.#ready.size <= mailboxesMax && this.#doors <= doorsMax) return
      if (!isInUse(key) && key !== hosted.key) this.#remove(key)
    }
  }

  #remove(key: string): void {
    this.#doors -= this.#ready.get(key)?.doors ?? 0
    this.#ready.delete(key)
  }
}
