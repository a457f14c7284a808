/**
 * An Admin looks at a Child's messages. The Child learns of it: the entry is durable before anything is opened, and whoever
 * may not look leaves an entry by trying.
 * @see docs/protocol.md#oversight
 * @module
 */

import { accountIdOf, mailboxIdOf } from '../../base/crypto/address.ts'
import { openEnvelope } from '../../base/crypto/envelope.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { AccountId } from '../../base/util/brand.ts'
import { toHex, utf8 } from '../../base/util/bytes.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import type { Log } from '../../base/util/log.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import type { AuditEntry } from '../../base/wire/letter.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { Keyring } from '../account/keyring.ts'
import { readPlainSlots } from '../account/plain-slots.ts'
import type { HostingPort, MailboxPort } from '../account/ports.ts'
import { Serial } from '../account/serial.ts'
import { Vault } from '../account/vault.ts'
import { VersionClock } from '../account/version-clock.ts'
import { decodeContactRow, isContactSlot } from '../message/contact-row.ts'
import { letterContent } from '../message/letter-content.ts'
import { isMessageSlot } from '../message/message-log.ts'
import { decodeMessageRow } from '../message/message-row.ts'
import type { AuditTrail } from './audit-trail.ts'
import { roleOf } from './entry.ts'
import type { Escrow } from './escrow.ts'
import type { Roster } from './roster.ts'

export interface InspectionsDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly scheduler: Pick<Scheduler, 'soon'>
  readonly log: Log
  readonly hosting: Pick<HostingPort, 'mailbox'>
  readonly roster: Roster
  readonly escrow: Escrow
  readonly trail: AuditTrail
}

/** One message of a Child. */
export interface InspectedMessage {
  readonly direction: 'in' | 'out'
  readonly with: AccountId
  /** What the Child calls them. */
  readonly name?: string
  /** ISO 8601: when it was sent, or had arrived. */
  readonly at: string
  readonly text: string
}

/** An entry as the Child reads it. */
export interface ShownEntry extends Pick<AuditEntry, 'kind' | 'number' | 'reason'> {
  readonly by: AccountId
  readonly byName: string
  /** ISO 8601, each. */
  readonly at: string
  readonly from: string
  readonly until: string
}

/** What an Admin is shown. */
export interface Inspection {
  readonly entry: ShownEntry
  /** Oldest first. */
  readonly messages: readonly InspectedMessage[]
  /** There are more in this range than are shown: ask for a part of it. */
  readonly more: boolean
}

/** Messages that one call shows, the newest of the range. */
const inspectedMax = 1000
const pageMails = 64
/** Entries of people who may not look: five at once, then one an hour, so that nobody fills a mailbox by trying. */
const refusals = { perSecond: 1 / 3600, burst: 5 }
const triersMax = 1000

export class Inspections {
  readonly #deps: InspectionsDeps
  readonly #changes = new Serial()
  readonly #refusals: RateLimiter

  constructor(deps: InspectionsDeps) {
    this.#deps = deps
    this.#refusals = new RateLimiter({ rate: refusals, keysMax: triersMax, clock: deps.clock })
  }

  /** Opens what a Child has sent and received from `fromMs` to `untilMs`, mail that it has not fetched included.
   *  @param init.by id of an Admin, unlocked. Whether it may do this, the table of decisions has said
   *  @throws {AbzuError} ABZU_INVALID_ARGUMENT, ABZU_NOT_FOUND, ABZU_DENIED (no Child, no share), ABZU_LOCKED, those of
   *  AuditTrail.append and of the store */
  async inspect(init: {
    by: string
    child: string
    fromMs: number
    untilMs: number
    reason: string
  }): Promise<Inspection> {
    const { escrow, trail } = this.#deps
    const { fromMs, untilMs } = init
    const reason = parseReason(init.reason)
    if (!(fromMs >= 0 && fromMs < untilMs)) {
      throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a range has a beginning before its end')
    }
    const { actor, child, member, pair } = this.#parties(init)
    const byRoot = actor.row.rootPk
    const { rootPk } = child.row
    return this.#changes.run(async () =>
      escrow.withSeed(rootPk, { rootPk: byRoot, member }, async (seed) => {
        const said = { kind: 'inspected', fromMs, untilMs, reason } as const
        const target = { rootPk, doorToken: pair.doorToken }
        const entry = await trail.append(target, { by: member, byRoot, ...said })
        const all = await this.#open(rootPk, seed, { fromMs, untilMs })
        const messages = all.sort((a, b) => (a.at < b.at ? -1 : 1)).slice(-inspectedMax)
        return { entry: shownEntry(entry), messages, more: all.length > messages.length }
      }),
    )
  }

  /** Somebody who may not look has tried: that stands in the Child's audit. Tries beyond one an hour are logged only. */
  async refused(init: { by: string; child: string }): Promise<void> {
    const { trail, clock, log } = this.#deps
    const { actor, child, member, pair } = this.#parties(init)
    if (actor.id === child.id) return
    const key = `${actor.id} ${child.id}`
    if (this.#refusals.waitMs(key) > 0) {
      log.warn('inspection-refused-again')
      return
    }
    this.#refusals.take(key)
    const nowMs = clock.nowMs()
    const said = { kind: 'refused', fromMs: nowMs, untilMs: nowMs, reason: '-' } as const
    await this.#changes.run(async () => {
      const target = { rootPk: child.row.rootPk, doorToken: pair.doorToken }
      await trail.append(target, { by: member, byRoot: actor.row.rootPk, ...said })
    })
  }

  #parties({ by, child: name }: { by: string; child: string }) {
    const { roster, escrow } = this.#deps
    const [actor, child] = [roster.find(by), roster.find(name)]
    const { member } = actor
    if (!member) throw new AbzuError('ABZU_LOCKED', 'the account is locked')
    const pair = escrow.pairOf(child.row.rootPk)
    if (roleOf(child) === 'child' && pair) return { actor, child, member, pair }
    throw new AbzuError('ABZU_DENIED', 'nobody can look at the messages of this account')
  }

  async #open(
    rootPk: Uint8Array,
    seed: Uint8Array,
    range: { fromMs: number; untilMs: number },
  ): Promise<InspectedMessage[]> {
    const { platform, hosting, clock } = this.#deps
    const port = hosting.mailbox(mailboxIdOf(platform, rootPk))
    const versions = new VersionClock(clock)
    const slots = await readPlainSlots({ ...this.#deps, port, rootPk, sealSeed: seed, versions })
    const keyring = new Keyring(platform)
    try {
      for (const secret of slots.secrets) keyring.keep(secret)
      const vault = new Vault({ ...this.#deps, port, keyring, versions, isOwn: slots.isOwn })
      const found = await this.#history(vault)
      const arrived = await this.#mail(port, { rootPk, keyring })
      return [...found.messages, ...arrived]
        .filter(({ ms }) => ms >= range.fromMs && ms <= range.untilMs)
        .map(({ ms, root, ...message }) => {
          const name = found.names.get(toHex(root))
          const told = { ...message, with: accountIdOf(root), at: timeOf(ms) }
          return { ...told, ...(name !== undefined && { name }) }
        })
    } finally {
      keyring.wipe()
    }
  }

  async #history(vault: Vault): Promise<{ messages: Found[]; names: Map<string, string> }> {
    const messages = new Map<string, Found>()
    const names = new Map<string, string>()
    for await (const { name, value } of vault.entries()) {
      if (isContactSlot(name)) {
        const row = decodeContactRow(value)
        if (row.name !== '') names.set(toHex(row.root), row.name)
      }
      if (!isMessageSlot(name)) continue
      const {
        direction,
        contact: root,
        msgId,
        text,
        type,
        sentAtMs,
        history,
      } = decodeMessageRow(value)
      if (type !== 'text') continue
      const ms = direction === 'in' ? (history[0]?.atMs ?? sentAtMs) : sentAtMs
      messages.set(`${toHex(root)}/${toHex(msgId)}/${direction}`, { direction, root, ms, text })
    }
    return { messages: [...messages.values()], names }
  }

  /** What lies in the mailbox still, and its prekeys open. */
  async #mail(
    port: MailboxPort,
    { rootPk, keyring }: { rootPk: Uint8Array; keyring: Keyring },
  ): Promise<Found[]> {
    const { platform, clock } = this.#deps
    const found: Found[] = []
    for (let after: number | undefined = -1; after !== undefined;) {
      const page: Awaited<ReturnType<MailboxPort['mail']>> = await port.mail({
        limit: pageMails,
        ...(after >= 0 && { after }),
      })
      for (const { envelope } of page.items) {
        const prekey = keyring.prekey(parseEnvelopeHeader(envelope).keyId)
        if (!prekey) continue
        try {
          const opening = { envelope, recipientRoot: rootPk, prekeySeed: prekey.seed }
          const { letter } = await openEnvelope(platform, opening)
          const content = letterContent(letter)
          if (content.type !== 'text') continue
          const ms = Math.min(letter.sentAt, clock.nowMs())
          found.push({ direction: 'in', root: letter.from, ms, text: content.body.text })
        } catch (error) {
          if (!isAbzuError(error)) throw error
        }
      }
      after = page.next
    }
    return found
  }
}

interface Found {
  readonly direction: 'in' | 'out'
  readonly root: Uint8Array
  readonly ms: number
  readonly text: string
}

/** An entry as it is told. */
export function shownEntry(entry: AuditEntry): ShownEntry {
  const { kind, number, reason, by, byName, atMs, fromMs, untilMs } = entry
  const [at, from, until] = [timeOf(atMs), timeOf(fromMs), timeOf(untilMs)]
  return { kind, number, reason, by: accountIdOf(by), byName, at, from, until }
}

/** @throws {AbzuError} ABZU_INVALID_ARGUMENT */
function parseReason(typed: string): string {
  const reason = typed.normalize('NFC').trim()
  const size = utf8(reason).length
  if (size > 0 && size <= wireLimits.reasonBytesMax && reason.isWellFormed()) return reason
  const message = `say why, in at most ${wireLimits.reasonBytesMax} bytes: the child reads it`
  throw new AbzuError('ABZU_INVALID_ARGUMENT', message)
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
