/**
 * An account as its host sees it, made straight from keys: what a mailbox's tests and benchmarks need
 * of a person, without the user half.
 * @module
 */

import { itemIdOf, mailboxIdOf } from '../../src/base/crypto/address.ts'
import { signDeviceCertificate } from '../../src/base/crypto/certificate.ts'
import { doorIdOf, doorKeyOf, doorProof, newDoorToken } from '../../src/base/crypto/door.ts'
import { sealEnvelope } from '../../src/base/crypto/envelope.ts'
import { signIdentityDocument } from '../../src/base/crypto/identity-document.ts'
import { prekeyIdOf, signMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import { signRestoreClaim } from '../../src/base/crypto/restore-claim.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { plainSlotKey, signSlot } from '../../src/base/crypto/slot-header.ts'
import type { ItemId, PeerId } from '../../src/base/util/brand.ts'
import { encode } from '../../src/base/wire/codec.ts'
import type { DeliverRequest, DoorPass, StampPass } from '../../src/base/wire/deliver.ts'
import {
  encodePlainSlot,
  plainSlotKind,
  plainSlotName,
  type PlainSlotKind,
} from '../../src/base/wire/plain-slot.ts'
import type { Door, Host } from '../../src/base/wire/records.ts'
import { slotClass } from '../../src/base/wire/slot.ts'
import { stampFor } from './stamps.ts'

/** The home of an owner where a test names none. */
export const testHome = '12D3KooWtest' as PeerId

export interface OwnerInit {
  readonly platform: CryptoPlatform
  /** ms since 1970. */
  readonly nowMs: number
  readonly home?: Host
  /** Where copies are, besides. */
  readonly holders?: readonly Host[]
}

const hourMs = 3_600_000

interface LetterInit {
  readonly text?: string
  readonly expiresInHours?: number
  readonly requestId?: number
}

export class MailboxOwner {
  readonly #platform: CryptoPlatform
  readonly #rootSeed: Uint8Array
  readonly #deviceSeed: Uint8Array
  readonly #sealPk: Uint8Array
  readonly #certificate: Uint8Array
  /** Of the records that follow. */
  hosts: readonly Host[]
  #prekeySeed: Uint8Array
  #priorKeys: { keyId: Uint8Array; untilHours: number }[] = []
  #recordSeq = 0
  #version: number
  readonly nowHours: number
  readonly rootPk: Uint8Array
  /** Of the records that follow; 0 takes no strangers. */
  stampBits = 4

  constructor({ platform, nowMs, home, holders = [] }: OwnerInit) {
    this.#platform = platform
    this.#rootSeed = platform.random(32)
    this.#deviceSeed = platform.random(32)
    this.#prekeySeed = platform.random(32)
    this.#sealPk = platform.kem.publicKey(platform.random(32))
    this.hosts = [home ?? { peerId: testHome, role: 'home', addresses: [] }, ...holders]
    this.#version = nowMs
    this.nowHours = Math.floor(nowMs / hourMs)
    this.rootPk = platform.ed25519.publicKey(this.#rootSeed)
    this.#certificate = signDeviceCertificate(platform, this.#rootSeed, {
      v: 1,
      account: this.rootPk,
      signPk: platform.ed25519.publicKey(this.#deviceSeed),
      sealPkHash: platform.sha256(this.#sealPk),
      caps: 1,
      docSeq: 1,
    })
  }

  /** Of the newest record. */
  get recordSeq(): number {
    return this.#recordSeq
  }

  get mailbox() {
    return mailboxIdOf(this.#platform, this.rootPk)
  }

  /** Another device that the root has certified, as it claims the mailbox. */
  newDevice() {
    const seed = this.#platform.random(32)
    const { rootPk } = this
    const certificate = signDeviceCertificate(this.#platform, this.#rootSeed, {
      v: 1,
      account: rootPk,
      signPk: this.#platform.ed25519.publicKey(seed),
      sealPkHash: this.#platform.random(32),
      caps: 1,
      docSeq: 2,
    })
    const sign = (challenge: Uint8Array) => signRestoreClaim(this.#platform, seed, challenge)
    return { rootPk, certificate, sign }
  }

  slot(name: string, body: Uint8Array, deviceSeed = this.#deviceSeed) {
    const { ed25519, sha256 } = this.#platform
    const signed = signSlot(this.#platform, deviceSeed, {
      class: slotClass.plain,
      mailbox: this.mailbox,
      key: plainSlotKey(this.#platform, this.mailbox, name),
      version: this.#version++,
      bodyHash: sha256(body),
      device: ed25519.publicKey(deviceSeed),
    })
    return { signed, body }
  }

  plain(kind: PlainSlotKind, name: string, content: Uint8Array) {
    return this.slot(name, encodePlainSlot(kind, content))
  }

  /** @param init.revoked certificates of devices that may not any more */
  identity({ seq = 1, revoked = [] }: { seq?: number; revoked?: readonly Uint8Array[] } = {}) {
    const document = signIdentityDocument(this.#platform, this.#rootSeed, {
      v: 1,
      account: this.rootPk,
      seq,
      devices: [this.#platform.sha256(this.#certificate)],
      revoked: revoked.map((certificate) => this.#platform.sha256(certificate)),
    })
    const content = { document, certificates: [this.#certificate], sealPks: [this.#sealPk] }
    return this.plain(plainSlotKind.identity, plainSlotName.identity, encode(content))
  }

  /** The next mailbox record; `rotate` makes a new prekey and keeps the old one for `priorHours`. */
  record(init: { rotate?: boolean; priorHours?: number } = {}) {
    return this.plain(plainSlotKind.record, plainSlotName.record, this.signedRecord(init))
  }

  /** The same, in no slot. */
  signedRecord({ rotate = false, priorHours = 168 } = {}): Uint8Array {
    if (rotate) {
      const prekey = this.#platform.kem.publicKey(this.#prekeySeed)
      const keyId = prekeyIdOf(this.#platform, prekey)
      this.#priorKeys.push({ keyId, untilHours: this.nowHours + priorHours })
      this.#prekeySeed = this.#platform.random(32)
    }
    return signMailboxRecord(this.#platform, this.#deviceSeed, {
      v: 1,
      account: this.rootPk,
      seq: ++this.#recordSeq,
      notBeforeHours: this.nowHours,
      notAfterHours: this.nowHours + 9600,
      suites: [1],
      prekey: this.#platform.kem.publicKey(this.#prekeySeed),
      priorKeys: this.#priorKeys,
      hosts: this.hosts,
      stampBits: this.stampBits,
      deviceCertificate: this.#certificate,
    })
  }

  /** A door and what its holder needs. */
  door(init: Partial<Pick<Door, 'uses' | 'untilHours' | 'pool'>> = {}) {
    const key = doorKeyOf(this.#platform, newDoorToken(this.#platform))
    const id = doorIdOf(this.#platform, key)
    const door: Door = { v: 1, id, key, untilHours: this.nowHours + 720, pool: 'contact', ...init }
    const slot = this.plain(plainSlotKind.door, plainSlotName.door(id), encode({ ...door }))
    return { key, id, slot }
  }

  acknowledge(ids: readonly ItemId[], part = 0) {
    const { ed25519 } = this.#platform
    const day = Math.floor(this.nowHours / 24)
    const name = plainSlotName.acknowledgement(ed25519.publicKey(this.#deviceSeed), day, part)
    const listed = new Uint8Array(ids.length * 16)
    for (const [n, id] of ids.entries()) listed.set(id.subarray(0, 16), 16 * n)
    return this.plain(plainSlotKind.acknowledgement, name, encode({ v: 1, day, ids: listed }))
  }

  /** Sealed mail from this account to itself, through a door, ready to deliver. */
  async letter(
    door: { key: Uint8Array; id: Uint8Array },
    { requestId = 0, ...init }: LetterInit = {},
  ): Promise<DeliverRequest & DoorPass & { id: ItemId }> {
    const { envelope, id } = await this.#envelope(init)
    const proof = doorProof(this.#platform, door.key, this.mailbox, id)
    return { requestId, mailbox: this.mailbox, doorId: door.id, proof, envelope, id }
  }

  /** The same with a stamp, worth `bits`. */
  async stamped({
    bits = this.stampBits,
    requestId = 0,
    ...init
  }: LetterInit & { bits?: number } = {}): Promise<DeliverRequest & StampPass & { id: ItemId }> {
    const { envelope, id } = await this.#envelope(init)
    const stamp = stampFor(this.#platform, { mailbox: this.mailbox, item: id, bits })
    return { requestId, mailbox: this.mailbox, stamp, envelope, id }
  }

  async #envelope({
    text = 'hello',
    expiresInHours = 24,
  }: LetterInit): Promise<{ envelope: Uint8Array; id: ItemId }> {
    const platform = this.#platform
    const envelope = await sealEnvelope(platform, {
      recipientRoot: this.rootPk,
      prekey: platform.kem.publicKey(this.#prekeySeed),
      expiresAtHours: this.nowHours + expiresInHours,
      deviceSeed: this.#deviceSeed,
      letter: {
        v: 1,
        from: this.rootPk,
        deviceCertificate: this.#certificate,
        msgId: platform.random(16),
        sentAt: this.nowHours * hourMs,
        type: 'text',
        body: encode({ text, name: 'owner' }),
        recordSeq: this.#recordSeq,
      },
    })
    return { envelope, id: itemIdOf(platform, envelope) }
  }
}
