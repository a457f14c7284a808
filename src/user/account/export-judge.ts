/**
 * Whether a file is what it claims: one whole account of this format, every item its own, and all of it signed by the
 * device that it carries. Nothing is written before all was read: a file may be cut off at any place, and whoever made
 * it may have lied at any other.
 * @see docs/protocol.md#export
 * @module
 */

import { openDeviceCertificate } from '../../base/crypto/certificate.ts'
import { itemIdOf, mailboxIdOf } from '../../base/crypto/address.ts'
import { openKeyringItem, parseKeyringItem } from '../../base/crypto/keyring.ts'
import { labels } from '../../base/crypto/labels.ts'
import { openMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { openStatement } from '../../base/crypto/signature.ts'
import { plainSlotKey, verifySlot } from '../../base/crypto/slot-header.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { equalBytes, mapKey } from '../../base/util/bytes.ts'
import { isAbzuError } from '../../base/util/errors.ts'
import type { CopiedItem } from '../../base/wire/copied-item.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import {
  decodeExportItems,
  encodeExportMagic,
  exportedBytes,
  exportEndShape,
  exportFrame,
  exportLimits,
  exportManifestShape,
  invalidExport,
  type ExportFrame,
  type ExportManifest,
} from '../../base/wire/export.ts'
import { parsePlainSlot, plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import { acknowledgementShape, doorShape } from '../../base/wire/records.ts'
import { decodeShape } from '../../base/wire/shape.ts'
import { parseSlotHeader, slotClass, slotHeaderBytes } from '../../base/wire/slot.ts'
import { openIdentity, type Identity } from './identity.ts'
import { parsePersonName } from './person-name.ts'
import type { SignedSlot } from './ports.ts'

export interface JudgeDeps {
  readonly platform: CryptoPlatform
}

/** What was found to be whole. */
export interface JudgedExport {
  readonly manifest: ExportManifest
  /** Identity and record. */
  readonly introduction: readonly SignedSlot[]
  readonly items: number
  readonly bytes: number
}

/** First bytes of an id by which it is known again. */
const idBytes = 16

/** Judges one file, frame by frame, in their order. Every method
 *  @throws {AbzuError} ABZU_EXPORT_INVALID */
export class ExportJudge {
  readonly #platform: CryptoPlatform
  readonly #seen = new Set<string>()
  readonly #introduction: SignedSlot[] = []
  #hash: Uint8Array
  #manifest: ExportManifest | undefined
  #device: { readonly signPk: Uint8Array; readonly sealSeed: Uint8Array } | undefined
  #mailbox: MailboxId | undefined
  #identity: Identity | undefined
  #keys = { vault: 0, name: 0 }
  #items = 0
  #bytes = 0
  #isOver = false

  constructor({ platform }: JudgeDeps) {
    this.#platform = platform
    this.#hash = platform.sha256(encodeExportMagic())
  }

  /** Takes the next frame. Resolves with the manifest where it is that. */
  async frame({ type, payload, bytes }: ExportFrame): Promise<ExportManifest | undefined> {
    if (this.#isOver) throw invalidExport('something follows its end')
    if ((type === exportFrame.manifest) !== (this.#manifest === undefined)) {
      throw invalidExport('it does not begin with its one manifest')
    }
    try {
      if (type === exportFrame.end) this.#end(payload)
      this.#hash = this.#platform.sha256(this.#hash, bytes)
      if (type === exportFrame.manifest) return this.#begin(payload)
      if (type === exportFrame.items) {
        for (const item of decodeExportItems(payload)) await this.#item(item)
      }
      return undefined
    } catch (cause) {
      if (!isAbzuError(cause) || cause.code === 'ABZU_EXPORT_INVALID') throw cause
      throw invalidExport(cause.message, cause)
    }
  }

  /** After the last frame. */
  whole(): JudgedExport {
    if (!this.#isOver || !this.#manifest) throw invalidExport('it is cut off')
    return {
      manifest: this.#manifest,
      introduction: this.#introduction,
      items: this.#items,
      bytes: this.#bytes,
    }
  }

  #begin(payload: Uint8Array): ExportManifest {
    const platform = this.#platform
    const manifest = decodeShape(exportManifestShape, payload, 'manifest')
    const { account, device, name } = manifest
    if (parsePersonName(name) !== name) throw invalidExport('a name that nobody types')
    const { signSeed, sealSeed, certificate } = device
    const { signPk, sealPkHash } = openDeviceCertificate(platform, certificate, account)
    const sealPk = platform.kem.publicKey(sealSeed)
    const isOwn = equalBytes(signPk, platform.ed25519.publicKey(signSeed))
    if (!isOwn || !equalBytes(sealPkHash, platform.sha256(sealPk))) {
      throw invalidExport('its keys are not those of its device')
    }
    this.#device = { signPk, sealSeed }
    this.#mailbox = mailboxIdOf(platform, account)
    this.#manifest = manifest
    return manifest
  }

  async #item(item: CopiedItem): Promise<void> {
    this.#items++
    this.#bytes += exportedBytes(item)
    if (this.#items > exportLimits.accountItemsMax || this.#bytes > exportLimits.accountBytesMax) {
      throw invalidExport('it holds more than any account')
    }
    if (item.kind === 'slot') return this.#slot(item)
    if (this.#introduction.length < 2) throw invalidExport('it does not begin with who may sign')
    if (item.signed.length > 0 || item.body.length === 0) throw invalidExport('an item of no kind')
    if (item.kind === 'mail') {
      if (item.pool === 0) throw invalidExport('mail in the room of its owner')
      parseEnvelopeHeader(item.body)
    }
    this.#once(itemIdOf(this.#platform, item.body))
  }

  async #slot({ signed, body, expiresAtHours, pool }: CopiedItem): Promise<void> {
    const platform = this.#platform
    if (signed.length !== slotHeaderBytes || expiresAtHours !== 0 || pool !== 0) {
      throw invalidExport('a slot that ends, or is in no room of slots')
    }
    const { header } = parseSlotHeader(signed)
    const mailbox = this.#mailbox as MailboxId
    if (!equalBytes(header.mailbox, mailbox)) throw invalidExport('an item of another account')
    if (!equalBytes(header.bodyHash, platform.sha256(body))) {
      throw invalidExport('a slot whose body is not the one signed')
    }
    this.#once(header.key)
    if (this.#introduction.length < 2) this.#introduce({ signed, body })
    if (!this.#lists(header.device) || !verifySlot(platform, signed)) {
      throw invalidExport('a slot that no device of the account signed')
    }
    const isFurther = this.#introduction.length === 2 && this.#introduction[1]?.signed !== signed
    if (isFurther && header.class === slotClass.plain && body.length > 0) {
      await this.#plain(header.key, body)
    }
  }

  /** Who may sign, then who hosts. */
  #introduce(slot: SignedSlot): void {
    const platform = this.#platform
    const { account } = this.#manifest as ExportManifest
    const isFirst = this.#introduction.length === 0
    const name = isFirst ? plainSlotName.identity : plainSlotName.record
    const kind = isFirst ? plainSlotKind.identity : plainSlotKind.record
    const { header } = parseSlotHeader(slot.signed)
    const plain = parsePlainSlot(slot.body)
    const key = plainSlotKey(platform, this.#mailbox as MailboxId, name)
    if (header.class !== slotClass.plain || !equalBytes(header.key, key) || plain.kind !== kind) {
      throw invalidExport('it does not begin with who may sign')
    }
    if (isFirst) this.#identity = openIdentity(platform, plain.content, account)
    else openMailboxRecord(platform, plain.content, account)
    if (!this.#lists(this.#own.signPk)) {
      throw invalidExport('its device is none of the account')
    }
    this.#introduction.push(slot)
  }

  /** What else its hosts read: they leave out what makes no sense to them. */
  async #plain(key: Uint8Array, body: Uint8Array): Promise<void> {
    const { kind, content } = parsePlainSlot(body)
    switch (kind) {
      case plainSlotKind.identity:
      case plainSlotKind.record:
        throw invalidExport('a second one of what there is but one')
      case plainSlotKind.door: {
        const { id } = decodeShape(doorShape, content, 'door')
        const name = plainSlotName.door(id)
        if (equalBytes(key, plainSlotKey(this.#platform, this.#mailbox as MailboxId, name))) return
        throw invalidExport('a door under the name of another')
      }
      case plainSlotKind.acknowledgement:
        decodeShape(acknowledgementShape, content, 'acknowledgement')
        return
      case plainSlotKind.keyring:
        return this.#keyring(content)
    }
  }

  /** The prekeys may have gone; without the other keys nothing opens. */
  async #keyring(content: Uint8Array): Promise<void> {
    const { kind } = parseKeyringItem(content)
    if (kind === 'prekey') return
    try {
      await openKeyringItem(this.#platform, content, this.#own.sealSeed)
      this.#keys[kind]++
    } catch (error) {
      // one of a device that came later; whether enough is left, the end tells
      if (!isAbzuError(error, 'ABZU_SEAL_BROKEN')) throw error
    }
  }

  get #own(): { readonly signPk: Uint8Array; readonly sealSeed: Uint8Array } {
    if (!this.#device) throw invalidExport('it does not begin with its one manifest')
    return this.#device
  }

  #lists(device: Uint8Array): boolean {
    return this.#identity?.devices.some(({ signPk }) => equalBytes(signPk, device)) ?? false
  }

  #once(id: Uint8Array): void {
    const key = mapKey(id.subarray(0, idBytes))
    if (this.#seen.has(key)) throw invalidExport('an item that is in it twice')
    this.#seen.add(key)
  }

  #end(payload: Uint8Array): void {
    const { signPk } = this.#own
    const signed = openStatement(this.#platform, labels.exportEnd, signPk, payload)
    const { items, bytes, hash } = decodeShape(exportEndShape, signed, 'end')
    if (items !== this.#items || bytes !== this.#bytes || !equalBytes(hash, this.#hash)) {
      throw invalidExport('what its account signed is something else')
    }
    if (this.#introduction.length < 2 || this.#keys.vault === 0 || this.#keys.name === 0) {
      throw invalidExport('it lacks keys without which nothing opens')
    }
    this.#isOver = true
  }
}
