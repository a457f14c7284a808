/** The birth of an account: all its keys, and the first slots of its mailbox. @module */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { newWords, rootKeysOf } from '../../base/crypto/words.ts'
import { type Clock, hoursOf } from '../../base/util/clock.ts'
import { plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import type { Host } from '../../base/wire/records.ts'
import { newDevice, type HeldDevice } from './device.ts'
import { identityDraft } from './identity.ts'
import { keyringDraft } from './keyring.ts'
import { firstRecord, type Strangers } from './own-record.ts'
import type { SignedSlot } from './ports.ts'
import { plainDraft, signDrafts, type SlotDraft } from './slot-draft.ts'
import { VersionClock } from './version-clock.ts'

export interface NewAccount {
  /** 24: everything can be recovered from them. To be shown once and kept nowhere. */
  readonly words: string[]
  readonly rootPk: Uint8Array
  /** X-Wing, 1216 bytes: every keyring item is sealed to it. */
  readonly recoveryPk: Uint8Array
  readonly device: HeldDevice
  /** Identity first; then the keyring; the record last, since it names a prekey. */
  readonly slots: SignedSlot[]
}

const firstSeq = 1

/** Makes an account, in memory. The root key is forgotten on return: only the words give it back. */
export async function newAccount(
  platform: CryptoPlatform,
  { home, strangers, clock }: { home: Host; strangers: Strangers; clock: Pick<Clock, 'nowMs'> },
): Promise<NewAccount> {
  const words = newWords(platform)
  const { rootSeed, recoverySeed } = rootKeysOf(platform, words)
  const rootPk = platform.ed25519.publicKey(rootSeed)
  const recoveryPk = platform.kem.publicKey(recoverySeed)
  const device = newDevice(platform, { rootSeed, docSeq: firstSeq })
  const mailbox = mailboxIdOf(platform, rootPk)
  const place = { platform, mailbox }
  const sealPk = platform.kem.publicKey(device.sealSeed)
  const identity = identityDraft(place, {
    rootSeed,
    seq: firstSeq,
    devices: [{ certificate: device.certificate, sealPk }],
    revoked: [],
  })
  rootSeed.fill(0)
  recoverySeed.fill(0)

  const secrets = {
    vault: platform.random(32),
    name: platform.random(32),
    prekey: platform.random(32),
  }
  const prekey = platform.kem.publicKey(secrets.prekey)
  const recipients = [recoveryPk, sealPk]
  const drafts: SlotDraft[] = [identity]
  for (const kind of ['vault', 'name', 'prekey'] as const) {
    drafts.push(await keyringDraft(place, { kind, secret: secrets[kind] }, recipients))
    secrets[kind].fill(0)
  }
  const nowHours = hoursOf(clock.nowMs())
  const content = firstRecord({ platform, device }, { rootPk, prekey, home, strangers, nowHours })
  drafts.push(
    plainDraft(place, { name: plainSlotName.record, kind: plainSlotKind.record, content }),
  )
  const versions = new VersionClock(clock)
  const slots = signDrafts({ platform, mailbox, device, versions }, drafts)
  return { words, rootPk, recoveryPk, device, slots }
}
