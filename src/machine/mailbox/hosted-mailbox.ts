/**
 * What a host knows of one mailbox, read from its plain slots: who may sign for it, which keys seal
 * for it now, which doors are open. Nothing here opens anything.
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { openDeviceCertificate } from '../../base/crypto/certificate.ts'
import { openIdentityDocument } from '../../base/crypto/identity-document.ts'
import {
  comparePlaces,
  placeOf,
  prekeyIdOf,
  verifyMailboxRecord,
  type RecordPlace,
} from '../../base/crypto/mailbox-record.ts'
import { plainSlotKey, verifySlot } from '../../base/crypto/slot-header.ts'
import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { equalBytes, mapKey } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import {
  identitySlotShape,
  parsePlainSlot,
  plainSlotKind,
  plainSlotName,
} from '../../base/wire/plain-slot.ts'
import {
  acknowledgementShape,
  doorShape,
  type Acknowledgement,
  type Door,
  type Host,
} from '../../base/wire/records.ts'
import { decodeShape } from '../../base/wire/shape.ts'
import {
  parseSlotHeader,
  slotClass,
  slotVersionMax,
  type SlotHeader,
} from '../../base/wire/slot.ts'

/** What judging slots takes. */
export type HostPlatform = Pick<CryptoPlatform, 'ed25519' | 'sha256'>

export interface SignedSlot {
  /** The signed header, 190 bytes. */
  readonly signed: Uint8Array
  /** Empty where the slot was emptied. */
  readonly body: Uint8Array
}

/** A slot that was checked, and what storing it changes for the host. */
export interface CheckedSlot extends SignedSlot {
  readonly header: SlotHeader
  /** Takes the change into memory, once the slot is durable. */
  readonly apply: () => void
  readonly acknowledged?: Acknowledgement
  /** Of a record: whom it names. */
  readonly hosts?: readonly Host[]
  /** It says which devices sign what follows. */
  readonly isIdentity: boolean
}

/** Of the signed record, 2 KB of every mailbox, what a delivery asks for. */
interface CurrentRecord {
  /** SHA-256 of it, as a map key. */
  readonly hash: string
  readonly place: RecordPlace
  /** Key id to the hour until which it is accepted; the current prekey has none. */
  readonly keys: ReadonlyMap<string, number>
  readonly stampBits: number
  readonly hosts: readonly Host[]
}

interface Identity {
  readonly seq: number
  /** Public keys of the devices that may sign. */
  readonly devices: ReadonlySet<string>
  /** Hashes of the certificates of those that may not any more. */
  readonly revoked: ReadonlySet<string>
}

export class HostedMailbox {
  readonly mailbox: MailboxId
  /** The mailbox as the key of a Map. */
  readonly key: string
  /** Room promised to mail that the store does not count yet, by pool. */
  readonly reserved = Array.from({ length: 4 }, () => ({ items: 0, bytes: 0 }))
  readonly rootPk: Uint8Array
  readonly #platform: HostPlatform
  readonly #doors = new Map<string, Door>()
  /** Key of a door's slot to the door's id: an emptied slot names nothing but its key. */
  readonly #doorSlots = new Map<string, string>()
  #identity: Identity | undefined
  #record: CurrentRecord | undefined

  constructor(platform: HostPlatform, mailbox: MailboxId, rootPk: Uint8Array) {
    this.#platform = platform
    this.mailbox = mailbox
    this.key = mapKey(mailbox)
    this.rootPk = rootPk
  }

  /** Reads the plain slots of a stored mailbox. Each was verified before it was stored, and no row is read that is not what was
   *  written: signatures are not verified once more, which would take most of the time. */
  static async load(
    { platform, items }: { platform: HostPlatform; items: ItemStore },
    { mailbox, rootPk }: { mailbox: MailboxId; rootPk: Uint8Array },
  ): Promise<HostedMailbox> {
    const hosted = new HostedMailbox(platform, mailbox, rootPk)
    const identity = await items.slot(
      mailbox,
      plainSlotKey(platform, mailbox, plainSlotName.identity),
    )
    if (!identity) throw new AbzuError('ABZU_STORE_DAMAGED', 'a mailbox has no identity slot')
    const trusting = { ...platform, ed25519: { ...platform.ed25519, verify: () => true } }
    const take = ({ signed, body }: SignedSlot): void =>
      hosted.#checkPlain(parseSlotHeader(signed).header, body, trusting).apply()
    take(identity)
    for await (const slot of items.slots(mailbox, slotClass.plain)) take(slot)
    return hosted
  }

  get doorCount(): number {
    return this.#doors.size
  }

  door(id: Uint8Array): Door | undefined {
    return this.#doors.get(mapKey(id))
  }

  /** SHA-256 of the newest mailbox record, as a map key. */
  get recordHash(): string | undefined {
    return this.#record?.hash
  }

  /** Who holds copies, by the newest record. */
  get hosts(): readonly Host[] {
    return this.#record?.hosts ?? []
  }

  /** Whether the account has revoked the device of a certificate. */
  isRevoked(certificate: Uint8Array): boolean {
    return this.#identity?.revoked.has(mapKey(this.#platform.sha256(certificate))) ?? false
  }

  /** What a stranger's stamp has to be worth; 0 where strangers are not let in. */
  get stampBits(): number {
    return this.#record?.stampBits ?? 0
  }

  /** What the newest record makes of a node; undefined where it does not name it, or there is none. */
  roleOf(peerId: PeerId): Host['role'] | undefined {
    return this.hosts.find((host) => host.peerId === peerId)?.role
  }

  /** Whether mail sealed to this key id is accepted now. */
  acceptsKey(keyId: Uint8Array, nowHours: number): boolean {
    const untilHours = this.#record?.keys.get(mapKey(keyId))
    return untilHours !== undefined && nowHours < untilHours
  }

  /** Checks a slot that claims to be the account's: its place, its hash, its signature, and where it
   *  is plain, its meaning.
   *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
  check(slot: SignedSlot): CheckedSlot {
    const { header } = parseSlotHeader(slot.signed)
    if (!equalBytes(header.mailbox, this.mailbox)) {
      throw new AbzuError('ABZU_MALFORMED', 'a slot of another mailbox')
    }
    if (!equalBytes(this.#platform.sha256(slot.body), header.bodyHash)) {
      throw new AbzuError('ABZU_MALFORMED', 'a slot whose body is not the one signed')
    }
    const meaning =
      header.class === slotClass.plain
        ? this.#checkPlain(header, slot.body)
        : { apply: () => undefined }
    const identity = meaning.identity ?? this.#identity
    this.#checkSignature(slot.signed, header, identity)
    if (header.version > slotVersionMax(identity?.seq ?? 0)) {
      throw new AbzuError('ABZU_MALFORMED', 'a slot version that leaves no room above it')
    }
    return { ...slot, ...meaning, header, isIdentity: meaning.identity !== undefined }
  }

  #checkSignature(signed: Uint8Array, header: SlotHeader, identity: Identity | undefined): void {
    if (!identity?.devices.has(mapKey(header.device)) || !verifySlot(this.#platform, signed)) {
      throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a slot that no device of the account signed')
    }
  }

  #checkPlain(
    header: SlotHeader,
    body: Uint8Array,
    platform = this.#platform,
  ): {
    apply: () => void
    identity?: Identity
    acknowledged?: Acknowledgement
    hosts?: readonly Host[]
  } {
    const slotKey = mapKey(header.key)
    if (body.length === 0) return { apply: () => this.#closeDoor(slotKey) }
    const { kind, content } = parsePlainSlot(body)
    switch (kind) {
      case plainSlotKind.identity: {
        this.#expectName(header, plainSlotName.identity)
        const identity = this.#parseIdentity(content, platform)
        return { identity, apply: () => void (this.#identity = identity) }
      }
      case plainSlotKind.record: {
        this.#expectName(header, plainSlotName.record)
        const record = this.#parseRecord(content, platform)
        return { hosts: record.hosts, apply: () => void (this.#record = record) }
      }
      case plainSlotKind.door: {
        const door = decodeShape(doorShape, content, 'door')
        this.#expectName(header, plainSlotName.door(door.id))
        return {
          apply: () => {
            this.#doors.set(mapKey(door.id), door)
            this.#doorSlots.set(slotKey, mapKey(door.id))
          },
        }
      }
      case plainSlotKind.acknowledgement:
        return {
          acknowledged: decodeShape(acknowledgementShape, content, 'acknowledgement'),
          apply: () => undefined,
        }
      case plainSlotKind.keyring:
        return { apply: () => undefined }
    }
  }

  #closeDoor(slotKey: string): void {
    const door = this.#doorSlots.get(slotKey)
    if (door === undefined) return
    this.#doors.delete(door)
    this.#doorSlots.delete(slotKey)
  }

  #expectName(header: SlotHeader, name: string): void {
    if (!equalBytes(header.key, plainSlotKey(this.#platform, this.mailbox, name))) {
      throw new AbzuError('ABZU_MALFORMED', 'a plain slot that lies under another name')
    }
  }

  #parseIdentity(content: Uint8Array, platform: HostPlatform): Identity {
    const slot = decodeShape(identitySlotShape, content, 'identity slot')
    const document = openIdentityDocument(platform, slot.document, this.rootPk)
    if (this.#identity && document.seq < this.#identity.seq) {
      throw new AbzuError('ABZU_MALFORMED', 'an identity document older than the known one')
    }
    const listed = document.devices.map(mapKey)
    const devices = slot.certificates.map((signed) => {
      if (!listed.includes(mapKey(this.#platform.sha256(signed)))) {
        throw new AbzuError('ABZU_MALFORMED', 'a certificate that the identity does not list')
      }
      return mapKey(openDeviceCertificate(platform, signed, this.rootPk).signPk)
    })
    if (devices.length !== listed.length) {
      throw new AbzuError('ABZU_MALFORMED', 'an identity slot without all of its certificates')
    }
    const revoked = new Set(document.revoked.map(mapKey))
    return { seq: document.seq, devices: new Set(devices), revoked }
  }

  #parseRecord(signed: Uint8Array, platform: HostPlatform): CurrentRecord {
    const verified = verifyMailboxRecord(platform, signed)
    const { record, mailbox } = verified
    if (!equalBytes(mailbox, this.mailbox)) {
      throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a mailbox record of another account')
    }
    const place = placeOf(verified)
    const hash = mapKey(platform.sha256(signed))
    const known = this.#record
    if (known && comparePlaces(place, known.place) <= 0 && hash !== known.hash) {
      throw new AbzuError('ABZU_MALFORMED', 'a mailbox record that is not newer than the known one')
    }
    const keys = new Map(
      record.priorKeys.map(({ keyId, untilHours }) => [mapKey(keyId), untilHours]),
    )
    keys.set(mapKey(prekeyIdOf(this.#platform, record.prekey)), Number.POSITIVE_INFINITY)
    const { stampBits, hosts } = record
    return { hash, place, keys, stampBits, hosts }
  }
}
