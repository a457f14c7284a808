/** From a message to a sealed envelope, and from there to the outbox. @module */

import { itemIdOf, mailboxIdOf } from '../../base/crypto/address.ts'
import { doorIdOf, doorKeyOf, doorProof } from '../../base/crypto/door.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { expectAffordable, type StampOrder } from '../../base/crypto/stamp.ts'
import type { ItemId } from '../../base/util/brand.ts'
import { hoursOf } from '../../base/util/clock.ts'
import { assert } from '../../base/util/errors.ts'
import { encode, type WireValue } from '../../base/wire/codec.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import { msgIdBytes } from '../../base/wire/letter.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { Account } from '../account/account.ts'
import type { Outgoing } from '../account/ports.ts'
import type { ContactRow, Reach } from './contact-row.ts'
import type { MessageRow, OutgoingRow } from './message-row.ts'

/** Below the longest life of mail, so that no host's clock finds it too long. */
const lifeHours = wireLimits.mailHoursMax - 24

/** A new message of this account, not sealed yet. */
export function newMessage(
  account: Account,
  init: { contact: ContactRow; type: MessageRow['type']; text: string },
): MessageRow {
  const nowMs = account.clock.nowMs()
  return {
    v: 1,
    order: account.versions.next(),
    msgId: account.platform.random(msgIdBytes),
    contact: init.contact.root,
    direction: 'out',
    type: init.type,
    sentAtMs: nowMs,
    text: init.text,
    history: [{ state: 'queued', atMs: nowMs, by: account.home.peerId }],
  }
}

/** Whether a message can be sealed once more: what a share letter holds, is kept nowhere. */
export function isResealable({ type }: Pick<MessageRow, 'type'>): boolean {
  return type !== 'share'
}

/** `message` in a fresh envelope for the contact as it is reached now. A later envelope of the same
 *  message keeps its msgId and its end.
 *  @param share of a share letter: what it holds
 *  @throws {AbzuError} ABZU_TOO_LARGE, ABZU_STRANGERS_REFUSED, ABZU_STAMP_TOO_COSTLY */
export async function sealed(
  account: Account,
  message: MessageRow,
  contact: ContactRow,
  share?: Uint8Array,
): Promise<MessageRow> {
  const { platform } = account
  const reach = reachOf(contact)
  const route = routeOf(platform, reach)
  const withReturnAddress = contact.returnAddress !== 'known'
  const expiresAtHours =
    message.outgoing?.expiresAtHours ?? hoursOf(account.clock.nowMs()) + lifeHours
  const letter = {
    v: 1 as const,
    from: account.rootPk,
    deviceCertificate: account.certificate,
    msgId: message.msgId,
    sentAt: message.sentAtMs,
    type: message.type,
    body: encode(
      bodyOf(account, message, {
        share,
        ...(withReturnAddress && { returnTo: contact }),
      }),
    ),
    recordSeq: account.prekeys.record.record.seq,
  }
  const to = { recipientRoot: contact.root, prekey: reach.prekey, expiresAtHours }
  const envelope = await account.seal(letter, to)
  const outgoing: OutgoingRow = {
    itemId: itemIdOf(platform, envelope),
    keyId: parseEnvelopeHeader(envelope).keyId,
    ...route,
    expiresAtHours,
    tries: (message.outgoing?.tries ?? 0) + 1,
    withReturnAddress,
    envelope,
  }
  return { ...message, outgoing }
}

/** What the outbox takes of a sealed message. One that was sealed to go with a stamp does, even where the
 *  contact has given a token since: its host may have it already, for the time of strangers' mail.
 *  @throws {AbzuError} those of StampPort.stamp */
export async function posting(
  account: Account,
  { outgoing, contact }: { outgoing: Postable; contact: ContactRow },
  stamp: (order: StampOrder) => Promise<Uint8Array>,
): Promise<Outgoing> {
  const { platform } = account
  const { token, hosts, docSeq = 1, seq } = reachOf(contact)
  const { envelope, stampBits: bits } = outgoing
  const to = mailboxIdOf(platform, contact.root)
  const item = outgoing.itemId as ItemId
  const whole = { from: account.mailbox, to, hosts, sealedBy: { docSeq, seq }, envelope }
  if (bits !== undefined) return { ...whole, stamp: await stamp({ mailbox: to, item, bits }) }
  assert(token, 'what was sealed to go through a door finds one')
  const doorKey = doorKeyOf(platform, token)
  const proof = doorProof(platform, doorKey, to, item)
  return { ...whole, doorId: doorIdOf(platform, doorKey), proof }
}

/** An envelope that is not known to be in the outbox. */
export interface Postable {
  readonly envelope: Uint8Array
  readonly itemId: Uint8Array
  readonly stampBits?: number | undefined
}

/** The door, or the stamp, by which a letter goes.
 *  @throws {AbzuError} ABZU_STRANGERS_REFUSED, ABZU_STAMP_TOO_COSTLY */
function routeOf(
  platform: Pick<CryptoPlatform, 'sha256'>,
  { token, stampBits = 0 }: Reach,
): Pick<OutgoingRow, 'doorId' | 'stampBits'> {
  if (token) return { doorId: doorIdOf(platform, doorKeyOf(platform, token)) }
  expectAffordable(stampBits)
  return { stampBits }
}

function reachOf({ reach }: ContactRow): Reach {
  assert(reach, 'a contact that is written to can be reached')
  return reach
}

/** @param more.returnTo whom the return address is for, where one goes along */
function bodyOf(
  account: Account,
  message: MessageRow,
  { share, returnTo }: { share: Uint8Array | undefined; returnTo?: ContactRow },
): WireValue {
  const { name } = account
  const returnAddress = returnTo?.ownToken && {
    record: account.prekeys.record.signed,
    token: returnTo.ownToken,
    ...(account.revocation && { identity: account.revocation }),
  }
  const address = {
    ...(returnAddress && { returnAddress }),
    ...(account.supervision.publicKey && { supervised: true }),
  }
  switch (message.type) {
    case 'hello':
      return { name, ...address }
    case 'text':
      return { text: message.text, name, ...address }
    case 'share':
      assert(share, 'a share letter is sealed once, with its share')
      return { share, name, ...address }
  }
}
