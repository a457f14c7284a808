/** The part of a rotation that needs no words: steps 3 to 5. @see docs/protocol.md#rotation @module */

import type { KeyringSecret } from '../../base/crypto/keyring.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import {
  generationOfBody,
  openSlotBody,
  sealSlotBody,
  vaultGenerationOf,
} from '../../base/crypto/vault-cipher.ts'
import { equalBytes, mapKey } from '../../base/util/bytes.ts'
import { hoursOf } from '../../base/util/clock.ts'
import { isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import { plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import { parseSlotHeader, slotClass, type SlotClass } from '../../base/wire/slot.ts'
import type { HeldDevice } from './device.ts'
import { identityDraftOf } from './identity.ts'
import { Keyring, keyringDraft } from './keyring.ts'
import { rotatedRecord, surpassingRecord } from './own-record.ts'
import { readPlainSlots, type PlainSlots } from './plain-slots.ts'
import type { MailboxPort, SignedSlot } from './ports.ts'
import { devicesAfter, sealPksOf, type Rotation, type RotationDeps } from './rotation.ts'
import { plainDraft, signDrafts, type SlotDraft } from './slot-draft.ts'
import { VersionClock } from './version-clock.ts'

export interface FinishInit {
  readonly port: MailboxPort
  readonly rootPk: Uint8Array
  readonly recoveryPk: Uint8Array
  /** As the row has it since the rotation began. */
  readonly device: HeldDevice
  readonly rotation: Rotation
}

/** Slots that are read, written anew and stored together: so many, or of so many bytes. */
const pageSlotsMax = 64
const pageBytes = 1024 * 1024
const secretBytes = 32

/** Brings a rotation that has begun to its end, whatever of it was done already. Nobody else may write into the mailbox
 *  meanwhile. The row forgets it afterwards.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED, those of the store: what is left is done by the next call */
export async function finishRotation(deps: RotationDeps, init: FinishInit): Promise<void> {
  const versions = new VersionClock(deps.clock)
  const slots = await readPlainSlots({ ...deps, ...init, sealSeed: init.device.sealSeed, versions })
  const keyring = new Keyring(deps.platform)
  try {
    for (const secret of slots.secrets) keyring.keep(secret)
    keyring.expectWhole()
    await new Finish(deps, init, { versions, slots, keyring }).run()
  } finally {
    keyring.wipe()
  }
}

class Finish {
  readonly #deps: RotationDeps
  readonly #init: FinishInit
  readonly #slots: PlainSlots
  readonly #keyring: Keyring
  readonly #versions: VersionClock
  /** Signing keys of the devices whose slots stay as they are. */
  readonly #staying: ReadonlySet<string>
  readonly #recipients: readonly Uint8Array[]
  /** Name of the vault key that seals from now on. */
  #generation: Uint8Array = new Uint8Array()
  #unreadable = 0

  constructor(
    deps: RotationDeps,
    init: FinishInit,
    read: {
      readonly versions: VersionClock
      readonly slots: PlainSlots
      readonly keyring: Keyring
    },
  ) {
    this.#deps = deps
    this.#init = init
    this.#slots = read.slots
    this.#keyring = read.keyring
    this.#versions = read.versions
    const devices = devicesAfter(deps.platform, { ...init, slots: read.slots })
    this.#staying = new Set(devices.map(({ signPk }) => mapKey(signPk)))
    this.#recipients = [init.recoveryPk, ...sealPksOf(devices)]
  }

  async run(): Promise<void> {
    const { identity } = this.#init.rotation
    const prekey = await this.#makeSecrets()
    this.#generation = vaultGenerationOf(this.#deps.platform, this.#keyring.vaultKey)
    const isCovered = await this.#publish(prekey)
    await this.#renew(slotClass.plain)
    await this.#renew(slotClass.sealed)
    if (this.#unreadable > 0) {
      this.#deps.log.warn('slots-not-renewed', { unreadable: this.#unreadable })
    }
    if (!identity) return
    // a holder that has the end of it and not the rest would be a copy of little use; who is away must not hold it up
    if (isCovered) await this.#isCovered()
    await this.#write([identityDraftOf(this.#place, identity)])
  }

  get #place(): { platform: CryptoPlatform; mailbox: MailboxPort['mailbox'] } {
    return { platform: this.#deps.platform, mailbox: this.#init.port.mailbox }
  }

  /** A vault key and a prekey that are not known to who leaves, made once. Returns the prekey's public key. */
  async #makeSecrets(): Promise<Uint8Array> {
    const { platform } = this.#deps
    const { after } = this.#init.rotation
    const made = new Map(
      this.#slots.secrets
        .filter(({ version }) => version > after)
        .map((secret) => [secret.kind, secret]),
    )
    const drafts: SlotDraft[] = []
    for (const kind of ['vault', 'prekey'] as const) {
      if (made.has(kind)) continue
      const secret: KeyringSecret = { kind, secret: platform.random(secretBytes) }
      drafts.push(await keyringDraft(this.#place, secret, this.#recipients))
      made.set(kind, { ...secret, version: Infinity })
      this.#keyring.keep(secret)
    }
    await this.#write(drafts)
    const { secret } = made.get('prekey') as KeyringSecret
    return platform.kem.publicKey(secret)
  }

  /** Signs a record by the device that is here now, with the new prekey once another host has its private half. Returns
   *  whether one has, where there are any. */
  async #publish(prekey: Uint8Array): Promise<boolean> {
    const { platform, clock } = this.#deps
    const { device } = this.#init
    const { record } = this.#slots.record
    const isCovered = !clock.doubt?.() && (await this.#isCovered())
    const nowHours = hoursOf(clock.nowMs())
    const isNamed = equalBytes(record.prekey, prekey)
    const isOwn = equalBytes(record.deviceCertificate, device.certificate)
    const signing = { platform, device }
    if (isCovered && !isNamed) {
      await this.#writeRecord(rotatedRecord(signing, record, { prekey, nowHours }))
    } else if (!isOwn) {
      await this.#writeRecord(surpassingRecord(signing, record, record))
    }
    return isCovered
  }

  async #isCovered(): Promise<boolean> {
    const { hosts } = this.#slots.record.record
    if (!hosts.some(({ role }) => role === 'replica')) return true
    return this.#deps.directory.isCovered(this.#init.port.mailbox)
  }

  async #writeRecord(content: Uint8Array): Promise<void> {
    const { record: name } = plainSlotName
    await this.#write([plainDraft(this.#place, { name, kind: plainSlotKind.record, content })])
  }

  async #write(drafts: readonly SlotDraft[]): Promise<void> {
    if (drafts.length === 0) return
    const { device, port } = this.#init
    await port.putSlots(signDrafts({ ...this.#place, device, versions: this.#versions }, drafts))
  }

  /** Writes anew what a leaving device signed or an older vault key sealed, a page at a time. */
  async #renew(kind: SlotClass): Promise<void> {
    const { port } = this.#init
    const due: Uint8Array[] = []
    for await (const slot of port.slots(kind)) {
      const { key, version } = parseSlotHeader(slot.signed).header
      this.#versions.observe(version)
      if (this.#isDue(kind, slot)) due.push(key.slice())
    }
    let page: SlotDraft[] = []
    let bytes = 0
    for (const key of due) {
      const slot = await port.slot(key)
      const draft = slot && this.#isDue(kind, slot) && this.#renewed(kind, slot)
      if (!draft) continue
      page.push(draft)
      bytes += slot.body.length
      if (page.length < pageSlotsMax && bytes < pageBytes) continue
      await this.#write(page)
      page = []
      bytes = 0
    }
    await this.#write(page)
  }

  #isDue(kind: SlotClass, { signed, body }: SignedSlot): boolean {
    const isLeaving = !this.#staying.has(mapKey(parseSlotHeader(signed).header.device))
    if (kind === slotClass.plain) return isLeaving && body[0] !== plainSlotKind.identity
    if (isLeaving || body.length === 0) return isLeaving
    return !equalBytes(body.subarray(0, this.#generation.length), this.#generation)
  }

  /** Undefined where nobody vouches for it any more. */
  #renewed(kind: SlotClass, slot: SignedSlot): SlotDraft | undefined {
    const { key } = parseSlotHeader(slot.signed).header
    const { body } = slot
    try {
      if (kind === slotClass.plain || body.length === 0) {
        return this.#slots.isOwn(slot) ? { class: kind, key, body: () => body } : undefined
      }
      return this.#resealed(slot)
    } catch (error) {
      if (!isAbzuError(error)) throw error
      this.#unreadable++
      this.#deps.log.error('slot-not-renewed', { error: toAbzuError(error) })
      return undefined
    }
  }

  #resealed({ signed, body }: SignedSlot): SlotDraft | undefined {
    const { platform } = this.#deps
    const { mailbox } = this.#place
    const { key, version } = parseSlotHeader(signed).header
    const before = this.#keyring.vaultKeyOf(generationOfBody(body))
    if (!before) {
      this.#unreadable++
      return undefined
    }
    const plain = openSlotBody(platform, { vaultKey: before, mailbox, key, version }, body)
    const { vaultKey } = this.#keyring
    const seal = { vaultKey, mailbox, key }
    return {
      class: slotClass.sealed,
      key,
      body: (next) => sealSlotBody(platform, { ...seal, version: next }, plain),
    }
  }
}
