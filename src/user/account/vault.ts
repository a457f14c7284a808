/**
 * The account's sealed slots: values under names, of which the host sees neither. Each body holds its
 * own name, so that what was decrypted can be listed; a body that lies under another key, version or
 * mailbox does not open.
 * @see docs/protocol.md#slots
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { sealedSlotKey } from '../../base/crypto/slot-header.ts'
import { generationOfBody, openSlotBody, sealSlotBody } from '../../base/crypto/vault-cipher.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { bytesBetween, decodeShape, record, text } from '../../base/wire/shape.ts'
import { parseSlotHeader, slotClass } from '../../base/wire/slot.ts'
import type { Keyring } from './keyring.ts'
import type { MailboxPort, SignedSlot } from './ports.ts'
import type { SlotDraft } from './slot-draft.ts'
import type { VersionClock } from './version-clock.ts'

export interface VaultEntry {
  readonly name: string
  readonly value: Uint8Array
}

export interface VaultDeps {
  readonly platform: CryptoPlatform
  readonly port: MailboxPort
  readonly keyring: Keyring
  readonly versions: VersionClock
  /** Whether a device of the account signed the slot. */
  readonly isOwn: (slot: SignedSlot) => boolean
  readonly scheduler: Pick<Scheduler, 'soon'>
  readonly log: Log
}

const nameBytesMax = 256
/** Slots that are opened before others get their turn. */
const pageSlots = 64

const entryShape = record({
  name: text(nameBytesMax),
  value: bytesBetween(0, wireLimits.slotBodyBytesMax),
})

export class Vault {
  readonly #deps: VaultDeps
  #unreadable = 0

  constructor(deps: VaultDeps) {
    this.#deps = deps
  }

  /** Slots that did not open when the vault was read. */
  get unreadable(): number {
    return this.#unreadable
  }

  /** Puts `value` under `name`, once it is written. */
  draft(name: string, value: Uint8Array): SlotDraft {
    const { platform, keyring, port } = this.#deps
    const key = this.#key(name)
    const plain = encode({ name, value })
    return {
      class: slotClass.sealed,
      key,
      body: (version) =>
        sealSlotBody(
          platform,
          { vaultKey: keyring.vaultKey, mailbox: port.mailbox, key, version },
          plain,
        ),
    }
  }

  /** Empties the slot of `name`, once it is written. */
  emptyDraft(name: string): SlotDraft {
    const body = new Uint8Array()
    return { class: slotClass.sealed, key: this.#key(name), body: () => body }
  }

  /** The value under `name`.
   *  @throws {AbzuError} ABZU_SEAL_BROKEN, ABZU_MALFORMED, those of the store */
  async get(name: string): Promise<Uint8Array | undefined> {
    const slot = await this.#deps.port.slot(this.#key(name))
    if (!slot || slot.body.length === 0) return undefined
    const entry = this.#open(slot)
    if (entry.name !== name) throw new AbzuError('ABZU_SEAL_BROKEN', 'a slot of another name')
    return entry.value
  }

  /** Everything in the vault, in no promised order. What does not open is reported to the log, counted
   *  and left out. */
  async *entries(): AsyncIterable<VaultEntry> {
    const { port, scheduler, log } = this.#deps
    this.#unreadable = 0
    let read = 0
    for await (const slot of port.slots(slotClass.sealed)) {
      if (++read % pageSlots === 0) {
        await new Promise<void>((resolve) => scheduler.soon(resolve))
      }
      try {
        const entry = slot.body.length > 0 ? this.#open(slot) : undefined
        this.#observe(slot)
        if (entry) yield entry
      } catch (error) {
        this.#unreadable++
        log.error('vault-slot-unreadable', { error: toAbzuError(error) })
      }
    }
  }

  /** A body vouches for its version, an empty slot only by its signature. */
  #observe(slot: SignedSlot): void {
    const { versions, isOwn } = this.#deps
    if (slot.body.length === 0 && !isOwn(slot)) {
      throw new AbzuError('ABZU_SIGNATURE_INVALID', 'an empty slot that no device signed')
    }
    versions.observe(parseSlotHeader(slot.signed).header.version)
  }

  #open({ signed, body }: SignedSlot): VaultEntry {
    const { platform, keyring, port } = this.#deps
    const { key, version } = parseSlotHeader(signed).header
    const vaultKey = keyring.vaultKeyOf(generationOfBody(body))
    if (!vaultKey) throw new AbzuError('ABZU_SEAL_BROKEN', 'a slot of an unknown vault key')
    const seal = { vaultKey, mailbox: port.mailbox, key, version }
    return decodeShape(entryShape, openSlotBody(platform, seal, body), 'vault entry')
  }

  #key(name: string): Uint8Array {
    return sealedSlotKey(this.#deps.platform, this.#deps.keyring.nameKey, name)
  }
}
