/** The account's own mailbox record: what is signed next. @see docs/protocol.md#mailbox-record @module */

import { prekeyIdOf, recordHoursMax, signMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { suiteXWing } from '../../base/wire/envelope.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { Host, MailboxRecord } from '../../base/wire/records.ts'
import type { Device } from './device.ts'

/** How long mail to a superseded prekey is accepted. */
const priorKeyHours = 7 * 24
/** A year of daily rotations never fills the list: ends come first. */
const priorKeysMax = 15

/** What a stranger's stamp has to be worth: about 15 ms of work. The room for strangers is bounded whatever
 *  they pay, so that a stamp has to be too dear for the millions only. */
const stampBitsDefault = 14

/** What an account makes of letters from people without a token. */
export type Strangers = 'welcome' | 'refused'

function stampBitsFor(strangers: Strangers): number {
  return strangers === 'welcome' ? stampBitsDefault : 0
}

/** Who is named by the record that follows. */
export interface NextHosts {
  /** The home, and who keeps copies. */
  readonly hosts: readonly Host[]
  /** Who did, and hands over what it has. */
  readonly former: readonly Host[]
}

interface SigningInit {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>
  readonly device: Device
}

/** The first record of an account. */
export function firstRecord(
  { platform, device }: SigningInit,
  init: {
    rootPk: Uint8Array
    prekey: Uint8Array
    home: Host
    strangers: Strangers
    nowHours: number
  },
): Uint8Array {
  return signMailboxRecord(platform, device.signSeed, {
    v: 1,
    account: init.rootPk,
    seq: 1,
    notBeforeHours: init.nowHours,
    notAfterHours: init.nowHours + recordHoursMax,
    suites: [suiteXWing],
    prekey: init.prekey,
    priorKeys: [],
    hosts: [init.home],
    stampBits: stampBitsFor(init.strangers),
    deviceCertificate: device.certificate,
  })
}

/** The record that follows `last` with another prekey. `notBeforeHours` is the time of the rotation. */
export function rotatedRecord(
  signing: SigningInit,
  last: MailboxRecord,
  init: { prekey: Uint8Array; nowHours: number },
): Uint8Array {
  return following(signing, last, rotation(signing, last, init))
}

/** The record by which an account that was recovered lives at `home`. It follows `last`, the newest one that is known,
 *  and lists of its prekeys those alone that can still be opened: a letter to another one would be lost.
 *  @param init.seqSeen the highest number of any record of the account that was seen */
export function recoveredRecord(
  signing: SigningInit,
  last: MailboxRecord,
  init: {
    home: Host
    prekey: Uint8Array
    isHeld: (keyId: Uint8Array) => boolean
    seqSeen: number
    nowHours: number
  },
): Uint8Array {
  const changes = rotation(signing, last, init)
  return following(signing, last, {
    ...changes,
    priorKeys: changes.priorKeys.filter(({ keyId }) => init.isHeld(keyId)),
    hosts: hostsAfterMove(last.hosts, init.home),
    seq: init.seqSeen + 1,
  })
}

/** The new home first, then the one that it was, which forwards, the replicas, and earlier homes. Addresses of those
 *  are left to be found: a record has 4 KiB. */
function hostsAfterMove(hosts: readonly Host[], home: Host): Host[] {
  const others = hosts.filter(({ peerId }) => peerId !== home.peerId)
  const left = others.filter(({ role }) => role === 'home')
  return [
    home,
    ...left.map((host): Host => ({ ...host, role: 'former' })),
    ...others.filter(({ role }) => role === 'replica'),
    ...others
      .filter(({ role }) => role === 'former')
      .map(({ peerId }): Host => ({ peerId, role: 'former' })),
  ].slice(0, wireLimits.hostsMax)
}

function rotation(
  { platform }: Pick<SigningInit, 'platform'>,
  last: MailboxRecord,
  { prekey, nowHours }: { prekey: Uint8Array; nowHours: number },
): Pick<MailboxRecord, 'notBeforeHours' | 'notAfterHours' | 'prekey' | 'priorKeys' | 'stampBits'> {
  const untilHours = nowHours + priorKeyHours
  const superseded = { keyId: prekeyIdOf(platform, last.prekey), untilHours }
  const earlier = last.priorKeys
    .filter((key) => key.untilHours > nowHours)
    // after a clock that ran ahead, no key may outlive the ordinary
    .map((key) => ({ ...key, untilHours: Math.min(key.untilHours, untilHours) }))
  return {
    notBeforeHours: nowHours,
    notAfterHours: nowHours + recordHoursMax,
    prekey,
    priorKeys: [superseded, ...earlier].slice(0, priorKeysMax),
    stampBits: last.stampBits === 0 ? 0 : stampBitsDefault,
  }
}

/** The record that says what `last` says, and follows one that another node has: it was signed elsewhere, or
 *  before this mailbox was brought here from a copy. */
export function surpassingRecord(
  signing: SigningInit,
  last: MailboxRecord,
  ahead: MailboxRecord,
): Uint8Array {
  return following(signing, last, { seq: Math.max(last.seq, ahead.seq) + 1 })
}

/** The record that follows `last` where others are hosts, or are reached in another way. Who was a host once is named
 *  as long as there is room. */
export function movedRecord(
  signing: SigningInit,
  last: MailboxRecord,
  { hosts, former }: NextHosts,
): Uint8Array {
  return following(signing, last, { hosts: [...hosts, ...former].slice(0, wireLimits.hostsMax) })
}

/** The record that follows `last` where `home` is the home, and the one that was hands over what it has. */
export function leavingRecord(signing: SigningInit, last: MailboxRecord, home: Host): Uint8Array {
  return following(signing, last, { hosts: hostsAfterMove(last.hosts, home) })
}

/** The last record of an account, which nobody hosts from then on: copies go.
 *  @param init.seqSeen the highest number of any record of the account that was seen */
export function closingRecord(
  signing: SigningInit,
  last: MailboxRecord,
  { seqSeen, nowHours }: { seqSeen: number; nowHours: number },
): Uint8Array {
  return following(signing, last, {
    seq: seqSeen + 1,
    notBeforeHours: nowHours,
    notAfterHours: nowHours + recordHoursMax,
    priorKeys: [],
    hosts: [],
  })
}

/** The record that follows `last` for an account that lets strangers write, or does not. */
export function strangersRecord(
  signing: SigningInit,
  last: MailboxRecord,
  strangers: Strangers,
): Uint8Array {
  return following(signing, last, { stampBits: stampBitsFor(strangers) })
}

function following(
  { platform, device }: SigningInit,
  last: MailboxRecord,
  changes: Partial<MailboxRecord>,
): Uint8Array {
  return signMailboxRecord(platform, device.signSeed, {
    ...last,
    seq: last.seq + 1,
    ...changes,
    deviceCertificate: device.certificate,
  })
}
