/**
 * What the account's plain slots say, read once at unlock. The host could have put anything there, so
 * each slot is verified: the identity by the root key, everything else by a device that it lists.
 * @module
 */

import { openKeyringItem, type KeyringSecret } from '../../base/crypto/keyring.ts'
import { openMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { plainSlotKey, verifySlot } from '../../base/crypto/slot-header.ts'
import { equalBytes, mapKey } from '../../base/util/bytes.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { parsePlainSlot, plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import {
  acknowledgementShape,
  doorShape,
  type Acknowledgement,
  type Door,
  type MailboxRecord,
} from '../../base/wire/records.ts'
import { decodeShape } from '../../base/wire/shape.ts'
import { parseSlotHeader, slotClass } from '../../base/wire/slot.ts'
import { readIdentity, type Identity } from './identity.ts'
import type { MailboxPort, SignedSlot } from './ports.ts'
import type { VersionClock } from './version-clock.ts'

export interface PlainSlots {
  readonly identity: Identity
  readonly record: SignedRecord
  readonly doors: readonly Door[]
  /** By the key of their slot. */
  readonly acknowledgements: ReadonlyMap<string, Acknowledgement>
  /** Oldest first, each with the version of its slot. */
  readonly secrets: readonly (KeyringSecret & { readonly version: number })[]
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
  /** Opens the keyring: of a device or of the recovery key. */
  readonly sealSeed: Uint8Array
  readonly versions: VersionClock
  readonly log: Log
}

/** Reads and verifies every plain slot. What is damaged is reported to the log and left out.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED where the account cannot be used without it */
export async function readPlainSlots(init: PlainSlotsInit): Promise<PlainSlots> {
  const { port, sealSeed, versions, log } = init
  const identity = await readIdentity(init)
  const isOwn = ownershipOf(init, new Set(identity.devices.map(({ signPk }) => mapKey(signPk))))
  const doors: Door[] = []
  const acknowledgements = new Map<string, Acknowledgement>()
  const secrets: (KeyringSecret & { version: number })[] = []
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
      secrets.push({ ...(await openKeyringItem(init.platform, content, sealSeed)), version })
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
    identity,
    record,
    doors,
    acknowledgements,
    secrets,
    isOwn,
  }
}

/** The record in the account's own mailbox, not verified.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED, ABZU_MALFORMED, those of the store */
export async function unverifiedOwnRecord({
  platform,
  port,
}: Pick<PlainSlotsInit, 'platform' | 'port'>): Promise<Uint8Array> {
  const slot = await port.slot(plainSlotKey(platform, port.mailbox, plainSlotName.record))
  if (!slot) throw new AbzuError('ABZU_STORE_DAMAGED', 'the account has no mailbox record')
  return parsePlainSlot(slot.body).content
}

/** The record in the account's own mailbox.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED, ABZU_MALFORMED, ABZU_SIGNATURE_INVALID, those of the store */
export async function readOwnRecord(
  init: Pick<PlainSlotsInit, 'platform' | 'port' | 'rootPk'>,
): Promise<SignedRecord> {
  return openRecord(init, await unverifiedOwnRecord(init))
}

function openRecord(
  { platform, rootPk }: Pick<PlainSlotsInit, 'platform' | 'rootPk'>,
  signed: Uint8Array,
): SignedRecord {
  return { signed, record: openMailboxRecord(platform, signed, rootPk) }
}

function ownershipOf(
  { platform, port }: Pick<PlainSlotsInit, 'platform' | 'port'>,
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
