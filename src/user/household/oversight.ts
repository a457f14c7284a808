/**
 * What the Admins and Adults of a household decide for its Children: with whom they write, and when. All of it is this
 * node's and travels nowhere.
 * @see docs/protocol.md#oversight
 * @module
 */

import { accountIdOf, parseAccountId, rootKeyOf } from '../../base/crypto/address.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { noteRecipientsMax, sealNote } from '../../base/crypto/sealed-note.ts'
import type { AccountId } from '../../base/util/brand.ts'
import { fromHex } from '../../base/util/bytes.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import { foldedName } from '../../base/util/folded-name.ts'
import type { Log } from '../../base/util/log.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { bytes, decodeShape, record, text } from '../../base/wire/shape.ts'
import { isAddress } from '../account/person-name.ts'
import type { Account } from '../account/account.ts'
import type { HostingPort, NodeTables } from '../account/ports.ts'
import { Serial } from '../account/serial.ts'
import type { Guardian } from '../message/guardian.ts'
import { AuditTrail } from './audit-trail.ts'
import { ChildContacts, type ChildContact } from './child-contacts.ts'
import {
  childRulesShape,
  expectMaySend,
  formatHours,
  parseHours,
  quietSince,
  waitingSince,
  type ChildRules,
  type Moment,
} from './child-policy.ts'
import { isHere, roleOf, type Entry } from './entry.ts'
import { Escrow } from './escrow.ts'
import { Inspections, shownEntry, type Inspection, type ShownEntry } from './inspections.ts'
import type { Roster } from './roster.ts'
import { sealKeysOf } from './seal-keys.ts'

export interface OversightDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly scheduler: Pick<Scheduler, 'soon'>
  readonly log: Log
  readonly tables: NodeTables
  readonly hosting: Pick<HostingPort, 'mailbox' | 'deliver'>
  readonly roster: Roster
  /** IANA time zone of the node. */
  readonly zone: string
}

/** One contact of a Child, as an Admin or an Adult sees it. */
export interface WatchedContact {
  /** 16 hexadecimal digits. */
  readonly id: string
  readonly state: ChildContact['state']
  /** Who is meant, and what the Child calls it; left out where the note is not for this person's device. */
  readonly address?: AccountId
  readonly name?: string
  /** ISO 8601: asked or decided. */
  readonly at: string
  /** Account id of who decided. */
  readonly by?: string
}

/** What is decided for one Child. */
export interface ChildReport {
  readonly id: AccountId
  readonly name: string
  /** When it may write, `07:00-20:00`; always where left out. */
  readonly hours?: string
  /** IANA time zone of the hours: where the node stands. */
  readonly zone: string
  /** Whether it is outside its hours now. */
  readonly quiet: boolean
  readonly frozen?: { readonly since: string; readonly by: string }
  readonly contacts: readonly WatchedContact[]
}

/** Hours and freeze; what is left out stays. */
export interface RulesInit {
  /** `07:00-20:00`; null where the Child may always write. */
  readonly hours?: string | null | undefined
  readonly frozen?: boolean | undefined
}

const noRules: ChildRules = { v: 1 }
const wishShape = record({ root: bytes(32), name: text(wireLimits.nameBytesMax) })

export class Oversight {
  readonly #deps: OversightDeps
  readonly #contacts: ChildContacts
  readonly #escrow: Escrow
  readonly #trail: AuditTrail
  readonly #inspections: Inspections
  readonly #changes = new Serial()

  /** @throws {AbzuError} those of the store */
  static async open(deps: OversightDeps): Promise<Oversight> {
    const rows = deps.tables.table('child-contacts')
    return new Oversight(deps, await ChildContacts.open({ ...deps, rows }))
  }

  private constructor(deps: OversightDeps, contacts: ChildContacts) {
    this.#deps = deps
    this.#contacts = contacts
    const { tables } = deps
    this.#escrow = new Escrow({ ...deps, rows: tables.table('oversight-pairs') })
    this.#trail = new AuditTrail({ ...deps, rows: tables.table('oversight-log') })
    const [escrow, trail] = [this.#escrow, this.#trail]
    this.#inspections = new Inspections({ ...deps, escrow, trail })
  }

  /** Before an account that was just opened is used: its keys follow its role, and it gets what waits for its audit.
   *  @throws {AbzuError} those of Escrow.settle and AuditTrail.handOver: the account is to be locked */
  async settle(entry: Entry, account: Account): Promise<void> {
    await this.#escrow.settle(entry, account)
    await this.#trail.handOver(account)
  }

  /** @see Inspections.inspect
   *  @throws {AbzuError} those of Inspections.inspect */
  async inspect(init: Parameters<Inspections['inspect']>[0]): Promise<Inspection> {
    return this.#inspections.inspect(init)
  }

  /** @see Inspections.refused
   *  @throws {AbzuError} those of Inspections.refused */
  async refused(init: { by: string; child: string }): Promise<void> {
    await this.#inspections.refused(init)
  }

  /** Who looked at the messages of the account `by`, unlocked, or tried to.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED, those of the store */
  async audit({ by }: { by: string }): Promise<{ entries: ShownEntry[]; missing: number }> {
    const { member } = this.#deps.roster.find(by)
    if (!member) throw new AbzuError('ABZU_LOCKED', 'the account is locked')
    const { entries, missing } = await member.readTrail(this.#trail)
    return { entries: entries.map(shownEntry), missing }
  }

  /** What the account of a Child has to ask before it writes or shows letters; nothing for anybody else. */
  guardianOf(entry: Entry): Guardian | undefined {
    if (roleOf(entry) !== 'child') return undefined
    const { rootPk } = entry.row
    return {
      approvalOf: (root) => this.#contacts.approvalOf(rootPk, root),
      ask: async (wish) => this.#ask(rootPk, wish),
      expectMaySend: () => expectMaySend(this.#rules(rootPk), this.#moment()),
      mayOversee: (root) => this.#isHousehold(root),
      waitingSince: () => waitingSince(this.#rules(rootPk), this.#moment()),
    }
  }

  /** What is decided for the Child, or for all of them. Whom a contact is, its Admins and Adults are told.
   *  @param by name or id of who asks, unlocked: a Child sees no more of its contacts here than how they stand
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_INVALID_ARGUMENT (not a Child), ABZU_LOCKED */
  async look({ by, child }: { by: string; child?: string | undefined }): Promise<ChildReport[]> {
    const { roster } = this.#deps
    const children =
      child === undefined
        ? roster.all().filter((entry) => roleOf(entry) === 'child')
        : [this.#child(child)]
    const reports: ChildReport[] = []
    for (const entry of children) reports.push(await this.#report(entry, by))
    return reports.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Lets letters pass between the Child and a contact, both ways, or lets none pass. `contact` is an address, what the Child
   *  calls it, or its id here. Resolves after fsync.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, ABZU_INVALID_ARGUMENT (not a Child, several of this name),
   *  ABZU_QUOTA_EXCEEDED, ABZU_LOCKED, those of the store */
  async decide(init: {
    by: string
    child: string
    contact: string
    state: 'approved' | 'denied'
  }): Promise<WatchedContact> {
    const { by, contact, state } = init
    const child = this.#child(init.child)
    const { rootPk } = child.row
    return this.#changes.run(async () => {
      const actor = this.#deps.roster.find(by)
      const decision = { state, by: actor.id, atMs: this.#deps.clock.nowMs() }
      if (!isAddress(contact)) {
        const id = await this.#idIn(child, { by, contact })
        return this.#shown(child, by, await this.#contacts.decideById(rootPk, id, decision))
      }
      const root = rootKeyOf(parseAccountId(contact))
      const id = this.#contacts.idOf(rootPk, root)
      const known = this.#contacts.list(rootPk).find((one) => one.id === id)
      const note = known?.note ?? (await this.#note(rootPk, { root, name: '' }))
      const decided = await this.#contacts.decide(rootPk, root, { ...decision, note })
      return this.#shown(child, by, decided)
    })
  }

  /** Sets when a Child may write, or freezes it. Resolves after fsync.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_INVALID_ARGUMENT (hours, not a Child), those of the store */
  async rule(init: RulesInit & { by: string; child: string }): Promise<ChildReport> {
    const { by, hours, frozen } = init
    const { roster, tables, clock } = this.#deps
    const child = this.#child(init.child)
    const { rootPk } = child.row
    await this.#changes.run(async () => {
      let { hours: nowHours, frozen: nowFrozen, ...rules } = this.#rules(rootPk)
      if (hours !== undefined) nowHours = hours === null ? undefined : parseHours(hours)
      if (frozen === false) nowFrozen = undefined
      if (frozen) nowFrozen ??= { sinceMs: clock.nowMs(), by: roster.find(by).id }
      const row = {
        ...rules,
        ...(nowHours && { hours: nowHours }),
        ...(nowFrozen && { frozen: nowFrozen }),
      }
      await tables.table('child-rules').put(rootPk, encode({ ...childRulesShape(row, 'rules') }))
    })
    return this.#report(child, by)
  }

  /** Nothing is decided for this account any more: it grew up, or it is gone. Resolves after fsync.
   *  @throws {AbzuError} those of the store */
  async forget(rootPk: Uint8Array): Promise<void> {
    await this.#changes.run(async () => {
      await this.#contacts.forget(rootPk)
      await this.#deps.tables.table('child-rules').delete(rootPk)
      await this.#escrow.forget(rootPk)
    })
  }

  async #ask(child: Uint8Array, wish: { root: Uint8Array; name: string }): Promise<void> {
    await this.#changes.run(async () => {
      const approval = this.#contacts.approvalOf(child, wish.root)
      if (approval === 'denied') {
        const message = 'an Admin or Adult of your household has said no to this contact'
        throw new AbzuError('ABZU_DENIED', message)
      }
      if (approval !== 'unasked') return
      const note = await this.#note(child, wish)
      const atMs = this.#deps.clock.nowMs()
      await this.#contacts.ask(child, { contact: wish.root, note, atMs })
    })
  }

  /** Undefined where there is nobody to read it. */
  async #note(
    child: Uint8Array,
    { root, name }: { root: Uint8Array; name: string },
  ): Promise<Uint8Array | undefined> {
    const { platform } = this.#deps
    const recipients = await this.#grownUps()
    if (recipients.length === 0) return undefined
    const context = this.#contacts.context(child, this.#contacts.idOf(child, root))
    return sealNote(platform, { recipients, context, plain: encode({ root, name }) })
  }

  /** X-Wing public keys of the devices of all Admins and Adults. */
  async #grownUps(): Promise<Uint8Array[]> {
    const { roster, log } = this.#deps
    const keys: Uint8Array[] = []
    for (const entry of roster.all()) {
      if (!isHere(entry) || (roleOf(entry) !== 'admin' && roleOf(entry) !== 'adult')) continue
      if (keys.length >= noteRecipientsMax) break
      try {
        keys.push(...(await sealKeysOf(this.#deps, entry.row.rootPk)))
      } catch (error) {
        log.error('identity-unreadable', { error: toAbzuError(error) })
      }
    }
    return keys.slice(0, noteRecipientsMax)
  }

  async #report(child: Entry, by: string): Promise<ChildReport> {
    const { rootPk, name } = child.row
    const rules = this.#rules(rootPk)
    const { hours, frozen } = rules
    const moment = this.#moment()
    const contacts: WatchedContact[] = []
    for (const one of this.#contacts.list(rootPk)) contacts.push(await this.#shown(child, by, one))
    return {
      id: child.id,
      name,
      zone: moment.zone,
      quiet: quietSince(rules, moment) !== undefined,
      ...(hours && { hours: formatHours(hours) }),
      ...(frozen && { frozen: { since: timeOf(frozen.sinceMs), by: frozen.by } }),
      contacts: contacts.sort((a, b) => (a.at < b.at ? -1 : 1)),
    }
  }

  async #shown(child: Entry, by: string, contact: ChildContact): Promise<WatchedContact> {
    const { id, state, atMs, note } = contact
    const wish = note && (await this.#opened(child, by, { id, note }))
    return {
      id,
      state,
      at: timeOf(atMs),
      ...(contact.by !== undefined && { by: contact.by }),
      ...(wish && { address: accountIdOf(wish.root) }),
      ...(wish && wish.name !== '' && { name: wish.name }),
    }
  }

  /** What a note says, where it is for a device of the account `by`. */
  async #opened(
    child: Entry,
    by: string,
    { id, note }: { id: string; note: Uint8Array },
  ): Promise<{ root: Uint8Array; name: string } | undefined> {
    const { member } = this.#deps.roster.find(by)
    if (!member) throw new AbzuError('ABZU_LOCKED', 'the account is locked')
    try {
      const context = this.#contacts.context(child.row.rootPk, id)
      return decodeShape(wishShape, await member.openNote(note, context), 'contact wish')
    } catch (error) {
      if (isAbzuError(error, 'ABZU_SEAL_BROKEN')) return undefined
      throw error
    }
  }

  /** The contact that is meant by its id, or by what the Child calls it. */
  async #idIn(child: Entry, { by, contact }: { by: string; contact: string }): Promise<string> {
    const isId = contact.length === 16 && fromHex(contact) !== undefined
    if (isId) return contact.toLowerCase()
    const { contacts } = await this.#report(child, by)
    const wanted = foldedName(contact)
    const found = contacts.filter(({ name }) => name !== undefined && foldedName(name) === wanted)
    const [only, ...others] = found
    if (!only) throw new AbzuError('ABZU_NOT_FOUND', 'the child has asked for nobody of this name')
    if (others.length === 0) return only.id
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'several are called so: name one by its address')
  }

  #isHousehold(root: Uint8Array): boolean {
    const entry = this.#deps.roster.get(accountIdOf(root))
    return entry !== undefined && !entry.row.isAnnounced
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, ABZU_INVALID_ARGUMENT */
  #child(nameOrId: string): Entry {
    const entry = this.#deps.roster.find(nameOrId)
    if (roleOf(entry) === 'child') return entry
    throw new AbzuError('ABZU_INVALID_ARGUMENT', `${entry.row.name} is no child of this household`)
  }

  #rules(rootPk: Uint8Array): ChildRules {
    const value = this.#deps.tables.table('child-rules').get(rootPk)
    return value ? decodeShape(childRulesShape, value, 'rules of a child') : noRules
  }

  #moment(): Moment {
    return { zone: this.#deps.zone, nowMs: this.#deps.clock.nowMs() }
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
