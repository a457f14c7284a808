/**
 * Notes: a few bytes that lie at a node, sealed to the devices of several people.
 *
 *     note  = 01 | count[1] | entry * count
 *     entry = device key id[8] | enc[1120] | ciphertext and tag
 *
 * Each entry has the whole plaintext. What the note is about is bound to each and stands nowhere: `context` begins with a
 * label of its own.
 * @see docs/protocol.md#oversight
 * @module
 */

import { concatBytes, equalBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { encapsulationBytes, keyIdBytes } from '../wire/envelope.ts'
import { openSealed, sealTo, type HpkePlatform } from './hpke.ts'
import { labels } from './labels.ts'
import { prekeyIdOf } from './mailbox-record.ts'
import type { CryptoPlatform } from './platform.ts'

type NotePlatform = HpkePlatform & Pick<CryptoPlatform, 'sha256'>

/** Devices that one note is sealed to. */
export const noteRecipientsMax = 32

const version = 1
const headBytes = 2
const tagBytes = 16
const entryHeadBytes = keyIdBytes + encapsulationBytes

/** Seals `plain` to X-Wing public keys, one to 32 of them.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT; ABZU_MALFORMED where a public key is none */
export async function sealNote(
  platform: NotePlatform,
  init: { recipients: readonly Uint8Array[]; context: Uint8Array; plain: Uint8Array },
): Promise<Uint8Array> {
  const { recipients, context, plain } = init
  const count = recipients.length
  if (count < 1 || count > noteRecipientsMax) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', `a note for ${count} devices`)
  }
  const parts: Uint8Array[] = [new Uint8Array([version, count])]
  for (const publicKey of recipients) {
    const info = concatBytes(labels.sealedNote, context)
    const { enc, sealed } = await sealTo(platform, { publicKey, info, aad: context, plain })
    parts.push(prekeyIdOf(platform, publicKey), enc, sealed)
  }
  return concatBytes(...parts)
}

/** Opens a note with the seed of one of its devices.
 *  @throws {AbzuError} ABZU_MALFORMED; ABZU_SEAL_BROKEN where it is not for this device or this context, or was changed */
export async function openNote(
  platform: NotePlatform,
  init: { note: Uint8Array; context: Uint8Array; seed: Uint8Array },
): Promise<Uint8Array> {
  const { note, context, seed } = init
  const entries = entriesOf(note)
  const ownId = prekeyIdOf(platform, platform.kem.publicKey(seed))
  const entry = entries.find((one) => equalBytes(one.subarray(0, keyIdBytes), ownId))
  if (!entry) throw new AbzuError('ABZU_SEAL_BROKEN', 'a note that is not for this device')
  return openSealed(platform, {
    seed,
    info: concatBytes(labels.sealedNote, context),
    aad: context,
    enc: entry.subarray(keyIdBytes, entryHeadBytes),
    sealed: entry.subarray(entryHeadBytes),
  })
}

function entriesOf(note: Uint8Array): Uint8Array[] {
  const count = note[1] ?? 0
  const size = (note.length - headBytes) / count
  const isWhole = Number.isInteger(size) && size >= entryHeadBytes + tagBytes
  if (note[0] !== version || count < 1 || count > noteRecipientsMax || !isWhole) {
    throw new AbzuError('ABZU_MALFORMED', 'not a note of version 1')
  }
  return Array.from({ length: count }, (_, n) =>
    note.subarray(headBytes + n * size, headBytes + (n + 1) * size),
  )
}
