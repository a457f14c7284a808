/**
 * A flood of strangers' letters against one hosted mailbox, with a contact who goes on writing: junk, bad
 * stamps, stamps of other letters, good ones far over the quota. In process, for a test and for whoever wants
 * to look at a node's memory meanwhile.
 * @module
 */

import { itemIdOf } from '../../src/base/crypto/address.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import { concatBytes } from '../../src/base/util/bytes.ts'
import type { DeliverRequest } from '../../src/base/wire/deliver.ts'
import type { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import type { Taken } from '../../src/machine/mailbox/taken.ts'
import type { MailboxOwner } from './mailbox-owner.ts'
import { falseStampFor, stampFor } from './stamps.ts'

export interface FloodInit {
  readonly platform: CryptoPlatform
  readonly mailboxes: Pick<Mailboxes, 'take'>
  readonly owner: MailboxOwner
  /** Of a contact. */
  readonly door: { readonly key: Uint8Array; readonly id: Uint8Array }
  /** Letters of strangers in all. */
  readonly letters: number
  /** Nodes that they come from, and IP addresses. */
  readonly peers: number
  readonly neighbours: number
  /** Called after each batch of `batchLetters`. */
  readonly between?: () => Promise<void> | void
}

export interface FloodReport {
  /** How many of each answer the strangers got: `durable`, or an error code. */
  readonly strangers: ReadonlyMap<string, number>
  /** The answers to the contact, one letter a batch. */
  readonly contact: readonly Taken['kind'][]
}

export const batchLetters = 100

/** Resolves when every letter has its answer. */
export async function floodStrangers(init: FloodInit): Promise<FloodReport> {
  const { mailboxes, owner, door, letters, peers, neighbours, between } = init
  const strangers = new Map<string, number>()
  const contact: Taken['kind'][] = []
  const model = (await owner.stamped()).envelope
  for (let sent = 0; sent < letters; sent += batchLetters) {
    const requests = Array.from({ length: Math.min(batchLetters, letters - sent) }, (_, n) =>
      strangerLetter(init, model, sent + n),
    )
    const batch = sent / batchLetters
    const peer = `12D3KooWstranger${batch % peers}` as PeerId
    const flood = mailboxes.take(requests, peer, `192.0.2.${batch % neighbours}`)
    const friend = mailboxes.take([await owner.letter(door)], '12D3KooWfriend' as PeerId)
    for (const taken of await flood) {
      const answer = taken.kind === 'durable' ? 'durable' : taken.error
      strangers.set(answer, (strangers.get(answer) ?? 0) + 1)
    }
    contact.push(...(await friend).map(({ kind }) => kind))
    await between?.()
  }
  return { strangers, contact }
}

/** Every fifth of one sort. The envelopes differ in their ciphertext, which no host can look into. */
function strangerLetter(
  { platform, owner }: FloodInit,
  model: Uint8Array,
  number: number,
): DeliverRequest {
  const { mailbox } = owner
  const envelope = concatBytes(model)
  envelope.set(platform.random(32), envelope.length - 32)
  const base = { requestId: number, mailbox, envelope }
  const item = itemIdOf(platform, envelope)
  switch (number % 5) {
    case 0:
      return { ...base, stamp: platform.random(8), envelope: platform.random(2000) }
    case 1:
      return { ...base, stamp: falseStampFor(platform, { mailbox, item, bits: owner.stampBits }) }
    case 2:
      return { ...base, doorId: platform.random(8), proof: platform.random(16) }
    default:
      return { ...base, stamp: stampFor(platform, { mailbox, item, bits: owner.stampBits }) }
  }
}
