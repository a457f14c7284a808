/**
 * What the account's plain slots say, read once at unlock. The host could have put anything there, so
 * each slot is verified: the identity by the root key, everything else by a device that it lists.
 * @module
 */

import { openDeviceCertificate } from '../../base/crypto/certificate.ts'
import { openIdentityDocument } from '../../base/crypto/identity-document.ts'
import { openKeyringItem, type KeyringSecret } from '../../base/crypto/keyring.ts'
import { openMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { plainSlotKey, verifySlot } from '../../base/crypto/slot-header.ts'
import { equalBytes, mapKey } from '../../base/util/bytes.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
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
  type MailboxRecord,
} from '../../base/wire/records.ts'
import { decodeShape } from '../../base/wire/shape.ts'
import { parseSlotHeader, slotClass } from '../../base/wire/slot.ts'
import type { Device } from './device.ts'
import type { MailboxPort, SignedSlot } from './ports.ts'
import type { VersionClock } from './version-clock.ts'

export interface PlainSlots {
  /** X-Wing public keys of the account's devices. */
  readonly sealPks: readonly Uint8Array[]
  readonly record: SignedRecord
  readonly doors: readonly Door[]
  /** By the key of their slot. */
  readonly acknowledgements: ReadonlyMap<string, Acknowledgement>
  /** Oldest first. */
  readonly secrets: readonly KeyringSecret[]
  /** @see VaultDeps.isOwn */
  readonly isOwn: (slot: SignedSlot) => boolean
}

export interface SignedRecord {
  readonly signed: Uint8Array
  readonly record: MailboxRecord
}

interface PlainSlotsInit {
  readonly platform: CryptoPlatform
  readonly port: MailboxPort
  readonly rootPk: Uint8Array
  readonly device: Device
  readonly versions: VersionClock
  readonly log: Log
}

/** Reads and verifies every plain slot. What is damaged is reported to the log and left out.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED where the account cannot be used without it */
export async function readPlainSlots(init: PlainSlotsInit): Promise<PlainSlots> {
  const { port, device, versions, log } = init
  const identity = await readIdentity(init)
  const isOwn = ownershipOf(init, identity.signPks)
  const doors: Door[] = []
  const acknowledgements = new Map<string, Acknowledgement>()
  const secrets: { version: number; secret: KeyringSecret }[] = []
  let record: SignedRecord | undefined

  const take = async (slot: SignedSlot): Promise<void> => {
    if (!isOwn(slot)) throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a slot that no device signed')
    const { key, version } = parseSlotHeader(slot.signed).header
    versions.observe(version)
    if (slot.body.length === 0) return
    const { kind, content } = parsePlainSlot(slot.body)
    if (kind === plainSlotKind.door) doors.push(decodeShape(doorShape, content, 'door'))
    if (kind === plainSlotKind.record) record = openRecord(init, content)
    if (kind === plainSlotKind.acknowledgement) {
      acknowledgements.set(
        mapKey(key),
        decodeShape(acknowledgementShape, content, 'acknowledgement'),
      )
    }
    if (kind === plainSlotKind.keyring) {
      const secret = await openKeyringItem(init.platform, content, device.sealSeed)
      secrets.push({ version, secret })
    }
  }
  for await (const slot of port.slots(slotClass.plain)) {
    try {
      await take(slot)
    } catch (error) {
      log.error('plain-slot-unreadable', { error: toAbzuError(error) })
    }
  }
  if (!record) throw new AbzuError('ABZU_STORE_DAMAGED', 'the account has no mailbox record')
  secrets.sort((a, b) => a.version - b.version)
  return {
    sealPks: identity.sealPks,
    record,
    doors,
    acknowledgements,
    secrets: secrets.map(({ secret }) => secret),
    isOwn,
  }
}

/** The record in the account's own mailbox.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED, ABZU_MALFORMED, ABZU_SIGNATURE_INVALID, those of the store */
export async function readOwnRecord(
  init: Pick<PlainSlotsInit, 'platform' | 'port' | 'rootPk'>,
): Promise<SignedRecord> {
  const slot = await init.port.slot(
    plainSlotKey(init.platform, init.port.mailbox, plainSlotName.record),
  )
  if (!slot) throw new AbzuError('ABZU_STORE_DAMAGED', 'the account has no mailbox record')
  return openRecord(init, parsePlainSlot(slot.body).content)
}

function openRecord(
  { platform, rootPk }: Pick<PlainSlotsInit, 'platform' | 'rootPk'>,
  signed: Uint8Array,
): SignedRecord {
  return { signed, record: openMailboxRecord(platform, signed, rootPk) }
}

async function readIdentity({
  platform,
  port,
  rootPk,
}: PlainSlotsInit): Promise<{ signPks: ReadonlySet<string>; sealPks: readonly Uint8Array[] }> {
  const slot = await port.slot(plainSlotKey(platform, port.mailbox, plainSlotName.identity))
  if (!slot) throw new AbzuError('ABZU_STORE_DAMAGED', 'the account has no identity document')
  const content = parsePlainSlot(slot.body).content
  const { document, certificates, sealPks } = decodeShape(identitySlotShape, content, 'identity')
  const { devices } = openIdentityDocument(platform, document, rootPk)
  const signPks = new Set<string>()
  const sealPkHashes: Uint8Array[] = []
  for (const signed of certificates) {
    if (!devices.some((hash) => equalBytes(hash, platform.sha256(signed)))) continue
    const certificate = openDeviceCertificate(platform, signed, rootPk)
    signPks.add(mapKey(certificate.signPk))
    sealPkHashes.push(certificate.sealPkHash)
  }
  const isCertified = (sealPk: Uint8Array): boolean =>
    sealPkHashes.some((hash) => equalBytes(hash, platform.sha256(sealPk)))
  return { signPks, sealPks: sealPks.filter(isCertified) }
}

function ownershipOf(
  { platform, port }: PlainSlotsInit,
  signPks: ReadonlySet<string>,
): (slot: SignedSlot) => boolean {
  return ({ signed, body }) => {
    const { header } = parseSlotHeader(signed)
    return (
      equalBytes(header.mailbox, port.mailbox) &&
      equalBytes(header.bodyHash, platform.sha256(body)) &&
      signPks.has(mapKey(header.device)) &&
      verifySlot(platform, signed)
    )
  }
}
