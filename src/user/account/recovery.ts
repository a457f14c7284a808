/**
 * An account comes back from its words: the record says who may hold its mailbox, the mailbox is brought here, the
 * recovery key opens the keyring, and the root lets a new device speak for the account, whose record names this node
 * as the home.
 *
 * Each step can be the last one of an attempt. The next attempt finds what was brought, makes another device and goes
 * on from there; a device that has left nothing but the list of devices is not listed any more.
 * @see docs/protocol.md#recovery
 * @module
 */

import { mailboxIdOf, peerNamedBy } from '../../base/crypto/address.ts'
import type { KeyringSecret } from '../../base/crypto/keyring.ts'
import {
  compareRecords,
  verifyMailboxRecord,
  type VerifiedMailboxRecord,
} from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { signRestoreClaim } from '../../base/crypto/restore-claim.ts'
import { rootKeysOf } from '../../base/crypto/words.ts'
import { equalBytes, mapKey } from '../../base/util/bytes.ts'
import { type Clock, hoursOf } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import type { Host } from '../../base/wire/records.ts'
import { certified, newDevice, type HeldDevice } from './device.ts'
import { devicesMax, identityDraft, type Identity } from './identity.ts'
import { Keyring, keyringDraft } from './keyring.ts'
import { recoveredRecord } from './own-record.ts'
import { readPlainSlots, type PlainSlots } from './plain-slots.ts'
import type { DirectoryPort, MailboxPort, RestoreInit, RestorePort } from './ports.ts'
import { signersOf } from './signers.ts'
import { plainDraft, signDrafts, type SlotDraft } from './slot-draft.ts'
import { VersionClock } from './version-clock.ts'

export interface RecoveryDeps {
  readonly platform: CryptoPlatform
  readonly clock: Pick<Clock, 'nowMs'>
  readonly log: Log
  readonly directory: Pick<DirectoryPort, 'home' | 'resolve'>
  readonly restoring: RestorePort
}

export interface RecoveryInit extends Pick<RestoreInit, 'progress' | 'signal'> {
  readonly keys: WordKeys
  /** Address of a node that is asked first, whether or not a record names it. */
  readonly peer?: string | undefined
}

/** What the words give. */
export interface WordKeys {
  readonly rootSeed: Uint8Array
  readonly rootPk: Uint8Array
  /** Of the recovery key. */
  readonly recoverySeed: Uint8Array
  /** X-Wing, 1216 bytes. */
  readonly recoveryPk: Uint8Array
  readonly wipe: () => void
}

/** The keys of 12 or 24 words. The caller wipes them.
 *  @throws {AbzuError} ABZU_WORDS_INVALID */
export function wordKeys(platform: CryptoPlatform, words: readonly string[]): WordKeys {
  const { rootSeed, recoverySeed } = rootKeysOf(platform, words)
  return {
    rootSeed,
    rootPk: platform.ed25519.publicKey(rootSeed),
    recoverySeed,
    recoveryPk: platform.kem.publicKey(recoverySeed),
    wipe: () => {
      rootSeed.fill(0)
      recoverySeed.fill(0)
    },
  }
}

/** The account's mailbox, hosted here under a record that says so, and the device that speaks for the account now.
 *  @throws {AbzuError} ABZU_ADDRESS_INVALID, ABZU_NOT_FOUND, ABZU_UNREACHABLE, ABZU_STORE_DAMAGED where the copy lacks what the account cannot
 *  do without, ABZU_QUOTA_EXCEEDED, those of the store; the signal's reason */
export async function recoverMailbox(
  deps: RecoveryDeps,
  init: RecoveryInit,
): Promise<{ device: HeldDevice; port: MailboxPort }> {
  const { platform, restoring } = deps
  const { keys, progress, signal } = init
  const { rootSeed, rootPk } = keys
  const peer = init.peer === undefined ? undefined : hostAt(init.peer)
  const found = await findRecord(deps, rootPk, peer)
  signal.throwIfAborted()
  const device = newDevice(platform, { rootSeed, docSeq: (found?.docSeq ?? 0) + 1 })
  try {
    const claim = {
      rootPk,
      certificate: device.certificate,
      sign: (challenge: Uint8Array) => signRestoreClaim(platform, device.signSeed, challenge),
    }
    const hosts = holders(peer, found)
    const port = await restoring.restore(claim, { hosts, progress, signal })
    signal.throwIfAborted()
    return { device: await takeOver(deps, { keys, found, device, port }), port }
  } catch (error) {
    device.wipe()
    throw error
  }
}

/** A node of which nothing but an address is known.
 *  @throws {AbzuError} ABZU_ADDRESS_INVALID */
function hostAt(address: string): Host {
  const addresses = [address.replace(/\/p2p\/[^/]+$/, '')]
  return { peerId: peerNamedBy(address), role: 'replica', addresses }
}

/** The newest record that the peer or the mesh has; undefined where nobody has one and there is a peer to try all the
 *  same. The mesh is asked in any case: what the peer holds may be old, and the next record is above all others. */
async function findRecord(
  { platform, directory }: RecoveryDeps,
  rootPk: Uint8Array,
  peer: Host | undefined,
): Promise<VerifiedMailboxRecord | undefined> {
  const mailbox = mailboxIdOf(platform, rootPk)
  const asked = peer ? [[peer], []] : [[]]
  const answers = await Promise.allSettled(
    asked.map(async (hosts) => {
      const record = verifyMailboxRecord(platform, await directory.resolve(mailbox, hosts))
      if (equalBytes(record.mailbox, mailbox)) return record
      throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a mailbox record of another account')
    }),
  )
  const [newest] = answers
    .flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    .toSorted((a, b) => compareRecords(platform, b, a))
  if (newest) return newest
  const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []))
  const other = errors.find((error: unknown) => !isNowhere(error)) as Error | undefined
  if (other ?? !peer) throw other ?? (errors[0] as Error)
  return undefined
}

function isNowhere(error: unknown): boolean {
  return isAbzuError(error, 'ABZU_NOT_FOUND') || isAbzuError(error, 'ABZU_UNREACHABLE')
}

const roleOrder: readonly Host['role'][] = ['replica', 'home', 'former']

/** Who may have a copy, whom to ask first first, each once. */
function holders(peer: Host | undefined, found: VerifiedMailboxRecord | undefined): Host[] {
  const named = found?.record.hosts ?? []
  const byRole = roleOrder.flatMap((role) => named.filter((host) => host.role === role))
  const all = [...(peer ? [peer] : []), ...byRole]
  return all.filter(({ peerId }, n) => all.findIndex((other) => other.peerId === peerId) === n)
}

interface TakeOver {
  readonly keys: WordKeys
  readonly found: VerifiedMailboxRecord | undefined
  readonly device: HeldDevice
  readonly port: MailboxPort
}

/** Makes the mailbox the device's. Returns the device with the certificate that goes with the new document. */
async function takeOver(deps: RecoveryDeps, init: TakeOver): Promise<HeldDevice> {
  const { platform, clock, log } = deps
  const { port, keys } = init
  const { rootPk, recoverySeed: sealSeed } = keys
  const versions = new VersionClock(clock)
  const slots = await readPlainSlots({ platform, port, rootPk, sealSeed, versions, log })
  const keyring = new Keyring(platform)
  try {
    for (const secret of slots.secrets) keyring.keep(secret)
    keyring.expectWhole()
    return await writeHome(deps, { ...init, slots, keyring, versions })
  } finally {
    keyring.wipe()
  }
}

interface WriteHome extends TakeOver {
  readonly slots: PlainSlots
  readonly keyring: Keyring
  readonly versions: VersionClock
}

/** The identity first, since it lets the device sign the rest; then, in one write, the keyring and the record. */
async function writeHome(deps: RecoveryDeps, init: WriteHome): Promise<HeldDevice> {
  const { platform } = deps
  const { keys, port, slots, found, versions } = init
  const { rootSeed, recoveryPk } = keys
  const stored = verifyMailboxRecord(platform, slots.record.signed)
  const last = found && compareRecords(platform, found, stored) > 0 ? found : stored
  const docSeqs = slots.identity.devices.map(({ docSeq }) => docSeq)
  const seq = Math.max(slots.identity.seq, last.docSeq, ...docSeqs) + 1
  const device = certified(platform, init.device, { rootSeed, docSeq: seq })
  const place = { platform, mailbox: port.mailbox }
  const write = async (drafts: readonly SlotDraft[]): Promise<void> =>
    port.putSlots(signDrafts({ ...place, device, versions }, drafts))

  const others = await devicesThatStay(port, slots.identity)
  const own = { certificate: device.certificate, sealPk: platform.kem.publicKey(device.sealSeed) }
  const devices = [...others, own]
  await write([identityDraft(place, { rootSeed, seq, devices, revoked: slots.identity.revoked })])

  const recipients = [recoveryPk, ...devices.flatMap(({ sealPk }) => sealPk ?? [])]
  const prekey: KeyringSecret = { kind: 'prekey', secret: platform.random(32) }
  const drafts: SlotDraft[] = []
  // in the order of their age: of several vault keys the last one seals
  for (const secret of [...slots.secrets, prekey]) {
    drafts.push(await keyringDraft(place, secret, recipients))
  }
  const content = recordOf(deps, { ...init, device, last, stored, prekey: prekey.secret })
  prekey.secret.fill(0)
  drafts.push(
    plainDraft(place, { name: plainSlotName.record, kind: plainSlotKind.record, content }),
  )
  await write(drafts)
  return device
}

function recordOf(
  { platform, clock, directory }: RecoveryDeps,
  init: WriteHome & {
    last: VerifiedMailboxRecord
    stored: VerifiedMailboxRecord
    prekey: Uint8Array
  },
): Uint8Array {
  const { device, keyring, last, stored } = init
  const seqSeen = Math.max(last.record.seq, stored.record.seq, init.found?.record.seq ?? 0)
  return recoveredRecord({ platform, device }, last.record, {
    home: directory.home(),
    prekey: platform.kem.publicKey(init.prekey),
    isHeld: (keyId) => keyring.prekey(keyId) !== undefined,
    // above the last number there is none; the identity document counts before it
    seqSeen: seqSeen < Number.MAX_SAFE_INTEGER ? seqSeen : stored.record.seq,
    nowHours: hoursOf(clock.nowMs()),
  })
}

/** Devices that have signed something beside the identity, which is written anew in the same moment: what they wrote
 *  would count for nothing if they were not listed. They keep the certificates that they have, so that no record of
 *  theirs is newer than the one that is made here.
 *  @throws {AbzuError} ABZU_QUOTA_EXCEEDED where one more is too many */
async function devicesThatStay(
  port: MailboxPort,
  { devices }: Identity,
): Promise<Identity['devices']> {
  const { ofAnything } = await signersOf(port)
  const stay = devices.filter(({ signPk }) => ofAnything.has(mapKey(signPk)))
  if (stay.length < devicesMax) return stay
  throw new AbzuError('ABZU_QUOTA_EXCEEDED', `an account has at most ${devicesMax} devices`)
}
