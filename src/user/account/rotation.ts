/**
 * New keys for an account that lives here. With the words: another device in the place of the one that may be in
 * wrong hands, or others revoked. Without them: another vault key and prekey.
 *
 * A rotation begins with the root key, which signs in advance the document that ends it, so that the words are needed
 * no more once the row says that it has begun. From there any attempt can go on from what the one before it left:
 *
 *     1 a document that lists the new device beside the old one; the keyring, sealed to both
 *     2 the row: the new device behind the password, the last document, where the vault's versions stood
 *     3 a vault key and a prekey that only the devices which stay can open; the record
 *     4 every slot that the old device signed or the old vault key sealed, written anew: plain ones first
 *     5 the last document, which revokes; the row
 *
 * Who has the copy of another node in between finds it whole, under the old keys or the new.
 * @see docs/protocol.md#rotation
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { equalBytes, mapKey } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { bytesBetween, optional, record, uint, type Shaped } from '../../base/wire/shape.ts'
import { certified, newDevice, type HeldDevice } from './device.ts'
import {
  devicesMax,
  identityContent,
  identityContentBytesMax,
  identityDraft,
  openIdentity,
  revokedMax,
  type Identity,
  type ListedDevice,
} from './identity.ts'
import { keyringDraft } from './keyring.ts'
import { readPlainSlots, type PlainSlots } from './plain-slots.ts'
import type { DirectoryPort, MailboxPort } from './ports.ts'
import type { WordKeys } from './recovery.ts'
import { signersOf } from './signers.ts'
import { signDrafts, type SlotDraft } from './slot-draft.ts'
import { VersionClock } from './version-clock.ts'

/** A rotation that has begun, as the account's row keeps it. */
export const rotationShape = record({
  /** What it makes has higher versions. */
  after: uint(),
  /** Where devices are revoked: the content of the identity slot that ends it. */
  identity: optional(bytesBetween(64, identityContentBytesMax)),
})
export type Rotation = Shaped<typeof rotationShape>

export interface RotationDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly log: Log
  readonly directory: Pick<DirectoryPort, 'isCovered'>
}

export interface RotationInit {
  readonly port: MailboxPort
  readonly keys: WordKeys
  /** Of the device that lives here, signed, as the row has it. */
  readonly certificate: Uint8Array
  /** One that was cut off. */
  readonly pending?: Rotation | undefined
  /** The device that lives here, where it stays; another one is made where this is left out. */
  readonly device?: HeldDevice | undefined
  /** Number of the newest identity document that was heard of. */
  readonly seen: number
  /** Signing keys of devices that are to be revoked as well. */
  readonly revoke: readonly Uint8Array[]
}

/** Steps 1 and what step 2 stores. Where `init.device` stays, its certificate is another one all the same, and who
 *  wipes one wipes both.
 *  @throws {AbzuError} ABZU_NOT_FOUND where a device that is to be revoked is not listed, ABZU_QUOTA_EXCEEDED, those of the
 *  store */
export async function beginRotation(
  deps: RotationDeps,
  init: RotationInit,
): Promise<{ device: HeldDevice; rotation: Rotation }> {
  const { platform } = deps
  const { port, keys } = init
  const { rootSeed, rootPk, recoveryPk, recoverySeed: sealSeed } = keys
  const versions = new VersionClock(deps.clock)
  const slots = await readPlainSlots({ ...deps, port, rootPk, sealSeed, versions })
  const { identity } = slots
  const { own, stay, leave } = await partition(platform, { ...init, identity })
  const docSeqs = identity.devices.map(({ docSeq }) => docSeq)
  const seq = Math.max(init.seen, identity.seq, ...docSeqs) + 1
  const device = init.device
    ? certified(platform, init.device, { rootSeed, docSeq: seq })
    : newDevice(platform, { rootSeed, docSeq: seq })
  const place = { platform, mailbox: port.mailbox }
  const fresh = { certificate: device.certificate, sealPk: platform.kem.publicKey(device.sealSeed) }
  const write = async (drafts: readonly SlotDraft[]): Promise<void> =>
    port.putSlots(signDrafts({ ...place, device, versions }, drafts))

  const devices = [...stay, ...leave.filter(({ isSigner }) => isSigner), ...own, fresh]
  const { revoked } = identity
  if (devices.length > devicesMax) {
    throw new AbzuError('ABZU_QUOTA_EXCEEDED', `an account has at most ${devicesMax} devices`)
  }
  await write([identityDraft(place, { rootSeed, seq, devices, revoked })])
  const recipients = [recoveryPk, ...sealPksOf([...stay, ...own, fresh])]
  const drafts: SlotDraft[] = []
  for (const secret of slots.secrets) drafts.push(await keyringDraft(place, secret, recipients))
  await write(drafts)

  const gone = [...leave, ...own].map(({ certificate }) => platform.sha256(certificate))
  const last = { rootSeed, seq: seq + 1, devices: [...stay, fresh] }
  const rotation = {
    after: versions.next(),
    identity: identityContent(platform, {
      ...last,
      revoked: [...revoked, ...gone].slice(-revokedMax),
    }),
  }
  return { device, rotation }
}

/** A rotation of what needs no words: it ends with the vault's keys. */
export async function beginKeysOnly(
  deps: RotationDeps,
  init: { readonly port: MailboxPort; readonly rootPk: Uint8Array; readonly device: HeldDevice },
): Promise<Rotation> {
  const versions = new VersionClock(deps.clock)
  await readPlainSlots({ ...deps, ...init, sealSeed: init.device.sealSeed, versions })
  return { after: versions.next() }
}

interface Leaving extends ListedDevice {
  /** Something in the mailbox counts by its signature. */
  readonly isSigner: boolean
}

/** Which of the listed devices stay and which do not. The one that lived here goes, or goes on under another certificate:
 *  an attempt that is cut off must leave it listed. */
async function partition(
  platform: CryptoPlatform,
  init: RotationInit & { readonly identity: Identity },
): Promise<{ own: ListedDevice[]; stay: ListedDevice[]; leave: Leaving[] }> {
  const { port, keys, identity, certificate, pending, revoke } = init
  const known = new Set(identity.devices.map(({ signPk }) => mapKey(signPk)))
  if (revoke.some((signPk) => !known.has(mapKey(signPk)))) {
    throw new AbzuError('ABZU_NOT_FOUND', 'the account has no such device')
  }
  const kept = pending?.identity && openIdentity(platform, pending.identity, keys.rootPk).devices
  const isKept = (device: ListedDevice): boolean =>
    !kept || kept.some((one) => equalBytes(one.certificate, device.certificate))
  const signers = await signersOf(port)
  const own = identity.devices.filter((one) => equalBytes(one.certificate, certificate))
  const others = identity.devices.filter((one) => !own.includes(one))
  const leave: Leaving[] = []
  const stay: ListedDevice[] = []
  for (const device of others) {
    const signer = mapKey(device.signPk)
    const isSigner = signers.ofAnything.has(signer)
    const isRevoked = revoke.some((signPk) => equalBytes(signPk, device.signPk))
    // what has signed nothing else is what an attempt has left that was cut off
    if (signers.ofContent.has(signer) && isKept(device) && !isRevoked) stay.push(device)
    else leave.push({ ...device, isSigner })
  }
  return { own, stay, leave }
}

/** Whose devices the keyring is sealed to once the rotation is over. */
export function devicesAfter(
  platform: CryptoPlatform,
  { rotation, slots, rootPk }: { rotation: Rotation; slots: PlainSlots; rootPk: Uint8Array },
): readonly ListedDevice[] {
  const { identity } = rotation
  return identity ? openIdentity(platform, identity, rootPk).devices : slots.identity.devices
}

/** The X-Wing keys of devices, as far as they are known. */
export function sealPksOf(devices: readonly Pick<ListedDevice, 'sealPk'>[]): Uint8Array[] {
  return devices.flatMap(({ sealPk }) => sealPk ?? [])
}
