/**
 * An account that comes to this node with its device, from a file: its mailbox is brought here, made as new as any
 * living host has it, and a record is signed that names this node as the home.
 *
 * Nothing of it counts before that record is stored, which happens in one commit with the account's row: until then
 * the account lives where it lived, and another attempt begins with what is here already.
 * @see docs/protocol.md#export
 * @module
 */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import type { KeyringSecret } from '../../base/crypto/keyring.ts'
import {
  compareRecords,
  verifyMailboxRecord,
  type VerifiedMailboxRecord,
} from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { signRestoreClaim } from '../../base/crypto/restore-claim.ts'
import { concatBytes, equalBytes } from '../../base/util/bytes.ts'
import { type Clock, hoursOf } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { parsePlainSlot, plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import type { Host } from '../../base/wire/records.ts'
import { HeldDevice } from './device.ts'
import { exportedItems, type ExportSource } from './export-reader.ts'
import type { JudgedExport } from './export-judge.ts'
import { Keyring, keyringDraft } from './keyring.ts'
import { recoveredRecord } from './own-record.ts'
import { readPlainSlots, type PlainSlots } from './plain-slots.ts'
import type {
  CarriagePort,
  DirectoryPort,
  MailboxPort,
  RestorePort,
  RestoreProgress,
  SignedSlot,
} from './ports.ts'
import { plainDraft, signDrafts } from './slot-draft.ts'
import { accountMoved } from './succession.ts'
import { VersionClock } from './version-clock.ts'

export interface ArrivalDeps {
  readonly platform: CryptoPlatform
  readonly clock: Pick<Clock, 'nowMs'>
  readonly log: Log
  readonly directory: Pick<DirectoryPort, 'home' | 'resolve'>
  readonly carriage: Pick<CarriagePort, 'begin' | 'take'>
  readonly restoring: RestorePort
}

export interface ArrivalInit {
  readonly judged: JudgedExport
  readonly source: ExportSource
  readonly progress: (done: RestoreProgress) => void
  readonly signal: AbortSignal
}

/** An account that is here, but for one commit. */
export interface Arrived {
  readonly device: HeldDevice
  readonly port: MailboxPort
  /** To be stored in one commit with the account's row: from then on this node is the home. */
  readonly slots: readonly SignedSlot[]
  /** Whether another host was asked for what has changed since. */
  readonly isUpToDate: boolean
}

/** Brings the mailbox here and signs what makes this node its home.
 *  @throws {AbzuError} ABZU_ACCOUNT_MOVED where the account was recovered elsewhere since, ABZU_DENIED where the device was
 *  revoked since, ABZU_STORE_DAMAGED, those of the store; the signal's reason */
export async function arrive(deps: ArrivalDeps, init: ArrivalInit): Promise<Arrived> {
  const { platform, clock, log, carriage } = deps
  const { manifest, introduction, items: itemsTotal } = init.judged
  const { account: rootPk } = manifest
  const carried = deviceOfManifest(platform, init.judged)
  try {
    const port = await carriage.begin(rootPk, introduction)
    const done = { items: 0, bytes: 0, itemsTotal }
    for await (const items of exportedItems(init.source)) {
      init.signal.throwIfAborted()
      await carriage.take(port.mailbox, items)
      done.items += items.length
      for (const { signed, body } of items) done.bytes += signed.length + body.length
      init.progress({ ...done })
    }
    const found = await newestRecord(deps, init.judged)
    const isUpToDate = await catchUp(deps, { ...init, found, device: carried, done })
    init.signal.throwIfAborted()
    const versions = new VersionClock(clock)
    const { sealSeed } = carried
    const slots = await readPlainSlots({ platform, port, rootPk, sealSeed, versions, log })
    const stored = verifyMailboxRecord(platform, slots.record.signed)
    const newest = compareRecords(platform, found, stored) > 0 ? found : stored
    const device = asListed(carried, slots, newest)
    const signed = await homeSlots(deps, { slots, device, newest, port, versions, manifest })
    return { device, port, slots: signed, isUpToDate }
  } catch (error) {
    carried.wipe()
    throw error
  }
}

function deviceOfManifest(platform: CryptoPlatform, { manifest }: JudgedExport): HeldDevice {
  const { signSeed, sealSeed, certificate } = manifest.device
  return new HeldDevice({
    signSeed: concatBytes(signSeed),
    sealSeed: concatBytes(sealSeed),
    signPk: platform.ed25519.publicKey(signSeed),
    certificate,
  })
}

/** The newest record that any host has; that of the file where nobody can be asked. */
async function newestRecord(
  { platform, directory, log }: ArrivalDeps,
  { manifest: { account }, introduction }: JudgedExport,
): Promise<VerifiedMailboxRecord> {
  const slot = introduction[1] as SignedSlot
  const own = verifyMailboxRecord(platform, parsePlainSlot(slot.body).content)
  try {
    const mailbox = mailboxIdOf(platform, account)
    const found = verifyMailboxRecord(
      platform,
      await directory.resolve(mailbox, others(own.record.hosts, directory.home())),
    )
    const isNewer = equalBytes(found.record.account, account)
    return isNewer && compareRecords(platform, found, own) > 0 ? found : own
  } catch (error) {
    if (!isAbzuError(error)) throw error
    log.info('newest-record-unknown', { code: error.code })
    return own
  }
}

function others(hosts: readonly Host[], here: Host): Host[] {
  return hosts.filter(({ peerId }) => peerId !== here.peerId)
}

const roleOrder: readonly Host['role'][] = ['home', 'replica', 'former']

/** Asks a living host for what has changed since; whether one answered. What nobody gives now comes by itself, since
 *  hosts of one record bring each other up to date. */
async function catchUp(
  { platform, restoring, directory, log }: ArrivalDeps,
  init: Omit<ArrivalInit, 'source'> & {
    readonly found: VerifiedMailboxRecord
    readonly device: HeldDevice
    readonly done: RestoreProgress
  },
): Promise<boolean> {
  const { judged, found, device, done, progress, signal } = init
  const hosts = others(found.record.hosts, directory.home())
  const inOrder = roleOrder.flatMap((role) => hosts.filter((host) => host.role === role))
  const claim = {
    rootPk: judged.manifest.account,
    certificate: device.certificate,
    sign: (challenge: Uint8Array) => signRestoreClaim(platform, device.signSeed, challenge),
  }
  let wasAsked = false
  const told = (more: RestoreProgress): void => {
    wasAsked = true
    const { items, bytes, itemsTotal } = done
    progress({ items: items + more.items, bytes: bytes + more.bytes, itemsTotal })
  }
  try {
    await restoring.restore(claim, { hosts: inOrder, progress: told, signal })
  } catch (error) {
    signal.throwIfAborted()
    if (!isAbzuError(error)) throw error
    log.info('not-caught-up', { code: error.code })
  }
  return wasAsked
}

/** The device with the certificate that the newest identity lists for it. One that was certified before what another
 *  device signs could sign nothing that counts.
 *  @throws {AbzuError} ABZU_DENIED, ABZU_ACCOUNT_MOVED
 *  @see docs/adr/0013-recovery-renews-no-certificate.md */
function asListed(
  { signPk, signSeed, sealSeed }: HeldDevice,
  { identity }: PlainSlots,
  newest: VerifiedMailboxRecord,
): HeldDevice {
  const listed = identity.devices.find((device) => equalBytes(device.signPk, signPk))
  if (!listed) {
    const message = 'the device of this file was revoked since: recover the account from its words'
    throw new AbzuError('ABZU_DENIED', message)
  }
  if (newest.docSeq > listed.docSeq) {
    const home = newest.record.hosts.find(({ role }) => role === 'home')
    throw accountMoved(home?.peerId ?? 'unknown')
  }
  return new HeldDevice({ signPk, signSeed, sealSeed, certificate: listed.certificate })
}

interface HomeInit {
  readonly slots: PlainSlots
  readonly device: HeldDevice
  readonly newest: VerifiedMailboxRecord
  readonly port: MailboxPort
  readonly versions: VersionClock
  readonly manifest: JudgedExport['manifest']
}

/** A fresh prekey, and the record that follows the newest one. */
async function homeSlots(deps: ArrivalDeps, init: HomeInit): Promise<SignedSlot[]> {
  const { platform, clock, directory } = deps
  const { slots, device, newest, port, versions, manifest } = init
  const keyring = new Keyring(platform)
  const prekey: KeyringSecret = { kind: 'prekey', secret: platform.random(32) }
  try {
    for (const secret of slots.secrets) keyring.keep(secret)
    keyring.expectWhole()
    const place = { platform, mailbox: port.mailbox }
    const sealPks = slots.identity.devices.flatMap(({ sealPk }) => sealPk ?? [])
    const content = recoveredRecord({ platform, device }, newest.record, {
      home: directory.home(),
      prekey: platform.kem.publicKey(prekey.secret),
      isHeld: (keyId) => keyring.prekey(keyId) !== undefined,
      seqSeen: newest.record.seq,
      nowHours: hoursOf(clock.nowMs()),
    })
    return signDrafts({ ...place, device, versions }, [
      await keyringDraft(place, prekey, [manifest.recoveryPk, ...sealPks]),
      plainDraft(place, { name: plainSlotName.record, kind: plainSlotKind.record, content }),
    ])
  } finally {
    prekey.secret.fill(0)
    keyring.wipe()
  }
}
