/**
 * Takes over what became of envelopes: durable in the vault first, then forgotten by the outbox. A
 * recipient whose prekey has changed gets the message once more, sealed afresh, under the same msgId.
 * @module
 */

import { prekeyIdOf } from '../../base/crypto/mailbox-record.ts'
import { doorIdOf, doorKeyOf } from '../../base/crypto/door.ts'
import { isAffordable } from '../../base/crypto/stamp.ts'
import { equalBytes, mapKey, toHex } from '../../base/util/bytes.ts'
import { isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { SlotDraft } from '../account/slot-draft.ts'
import type { Outcome } from '../account/ports.ts'
import type { ContactRow } from './contact-row.ts'
import type { LoggedMessage } from './message-log.ts'
import { withState, type MessageRow } from './message-row.ts'
import { isResealable, sealed } from './outgoing.ts'
import { verifyRecord, withRecord } from './reach.ts'
import type { Sender, SenderDeps } from './sender.ts'

export interface OutcomesDeps extends SenderDeps {
  readonly sender: Sender
  /** Called with each message whose state has changed, once that is durable. */
  readonly changed: (message: LoggedMessage) => void
  /** Called with a contact who lives elsewhere than the record says that is known here. */
  readonly outdated: (root: Uint8Array) => void
}

/** Envelopes made for one message, whatever its recipient's host says. */
const triesMax = 8

/** A message that a holder has. Its envelope is still going to its home, and so is in the outbox. */
function held(row: MessageRow, { atMs, by, holdUntilHours }: Outcome): MessageRow {
  const until = holdUntilHours === undefined ? {} : { untilHours: holdUntilHours }
  const { outgoing, ...rest } = withState(row, { state: 'held', atMs, by, ...until })
  if (!outgoing) return rest
  const { envelope: _, ...posted } = outgoing
  return { ...rest, outgoing: posted }
}

/** A message that nobody carries any more; undefined where nobody wants to know what became of it. */
function ended(row: MessageRow, { state, atMs, by }: Outcome): MessageRow | undefined {
  if (row.type === 'hello') return undefined
  const end = state === 'stale-key' ? 'refused' : state
  const { outgoing: _, ...rest } = withState(row, { state: end, atMs, by })
  return rest
}

/** Whether the outbox has found a newer record of the contact than the vault has. */
function isElsewhere({ state, by }: Outcome, { reach }: ContactRow): boolean {
  const home = reach?.hosts.find(({ role }) => role === 'home')
  return state === 'delivered' && home !== undefined && home.peerId !== by
}

/** What a batch of outcomes is going to change. */
interface Changes {
  readonly contacts: Map<string, ContactRow>
  /** Root keys of contacts whose mail another home has taken than the one that is known here. */
  readonly moved: Map<string, Uint8Array>
  /** Slots to rewrite; undefined empties one. */
  readonly messages: Map<string, MessageRow | undefined>
}

export class Outcomes {
  readonly #deps: OutcomesDeps

  constructor(deps: OutcomesDeps) {
    this.#deps = deps
  }

  /** Takes over every outcome that there is. */
  async takeAll(signal: AbortSignal): Promise<void> {
    const { account, post, changes } = this.#deps
    for (;;) {
      signal.throwIfAborted()
      const outcomes = await post.outcomes(account.mailbox)
      if (outcomes.length === 0) return
      await changes.run(async () => this.#take(outcomes))
      await post.settle(account.mailbox, outcomes)
    }
  }

  async #take(outcomes: readonly Outcome[]): Promise<void> {
    const { account, book, messages, sender, changed, outdated, log } = this.#deps
    const changes: Changes = { contacts: new Map(), moved: new Map(), messages: new Map() }
    for (const outcome of outcomes) {
      const message = messages.byItem(mapKey(outcome.id))
      const row = message && (changes.messages.get(message.slot) ?? (await messages.read(message)))
      if (row) await this.#apply(outcome, { slot: message.slot, row }, changes)
      else log.debug('outcome-of-nothing', { state: outcome.state })
    }
    const drafts: SlotDraft[] = [...changes.contacts.values()].map((row) => book.draft(row))
    for (const [slot, row] of changes.messages) {
      drafts.push(row ? messages.draft(slot, row) : messages.emptyDraft(slot))
    }
    await account.write(drafts)
    for (const contact of changes.contacts.values()) book.keep(contact)
    for (const root of changes.moved.values()) outdated(root)
    for (const [slot, row] of changes.messages) {
      if (!row) {
        messages.drop(slot)
        continue
      }
      const message = messages.keep(slot, row)
      if (message.isUnposted) sender.postLater(message)
      changed(message)
    }
  }

  async #apply(
    outcome: Outcome,
    { slot, row }: { slot: string; row: MessageRow },
    changes: Changes,
  ): Promise<void> {
    const contact = this.#contactAfter(outcome, row, changes)
    if (contact && isElsewhere(outcome, contact))
      changes.moved.set(toHex(contact.root), contact.root)
    const isRouteChanged = contact && this.#isRouteChanged(outcome, row, contact)
    const canBeSealed = isResealable(row) && (row.outgoing?.tries ?? 0) < triesMax
    if (isRouteChanged && canBeSealed) {
      changes.messages.set(slot, await sealed(this.#deps.account, row, contact))
      return
    }
    if (outcome.state === 'held') changes.messages.set(slot, held(row, outcome))
    else changes.messages.set(slot, ended(row, outcome))
  }

  /** The recipient as known after the outcome, noted in `changes` where that is news. */
  #contactAfter(
    { state, error, record }: Outcome,
    { contact: root, outgoing }: MessageRow,
    { contacts }: Changes,
  ): ContactRow | undefined {
    const before = contacts.get(toHex(root)) ?? this.#deps.book.byRoot(root)
    let after = before
    const isOutdated = state === 'stale-key' || error === 'ABZU_STAMP_INVALID'
    if (after && isOutdated && record) after = this.#withNewRecord(after, record)
    if (after?.returnAddress === 'unsent' && state === 'delivered' && outgoing?.withReturnAddress) {
      after = { ...after, returnAddress: 'delivered' }
    }
    if (after && after !== before) contacts.set(toHex(root), after)
    return after
  }

  #withNewRecord(contact: ContactRow, signed: Uint8Array): ContactRow {
    const { account, log } = this.#deps
    try {
      const verified = verifyRecord(account.platform, contact.root, signed)
      return withRecord(contact, verified, { nowMs: account.clock.nowMs() })
    } catch (error) {
      if (!isAbzuError(error)) throw error
      log.warn('record-of-host-not-valid', { error: toAbzuError(error) })
      return contact
    }
  }

  /** Whether the refusal was of a prekey, a door or a stamp that we would not use any more. */
  #isRouteChanged(
    { state, error }: Outcome,
    { outgoing }: MessageRow,
    { reach, standing }: ContactRow,
  ): boolean {
    if (!outgoing || !reach || standing !== 'accepted') return false
    const { platform } = this.#deps.account
    const { token, stampBits = 0, prekey } = reach
    if (!token && !isAffordable(stampBits)) return false
    if (state === 'stale-key') return !equalBytes(prekeyIdOf(platform, prekey), outgoing.keyId)
    const { doorId } = outgoing
    if (error === 'ABZU_DOOR_CLOSED' && token && doorId) {
      return !equalBytes(doorIdOf(platform, doorKeyOf(platform, token)), doorId)
    }
    if (error === 'ABZU_STAMP_INVALID' && !token) return stampBits > (outgoing.stampBits ?? 0)
    const isStampRefused = error === 'ABZU_STAMP_INVALID' || error === 'ABZU_STRANGERS_REFUSED'
    return isStampRefused && token !== undefined && doorId === undefined
  }
}
