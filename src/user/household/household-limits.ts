/** What each person of a household may have and do, and how much of it is used. @module */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { AccountId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import { mapKey } from '../../base/util/bytes.ts'
import type { Log } from '../../base/util/log.ts'
import { Turns } from '../../base/util/turns.ts'
import type { MailboxUse, NodeRows, NodeUse, TierPort, UsePort } from '../account/ports.ts'
import { CallRates } from './call-rates.ts'
import { roleOf, type Entry } from './entry.ts'
import {
  changedLimits,
  decodeNodeLimits,
  decodePersonLimits,
  encodeNodeLimits,
  encodePersonLimits,
  limitsKey,
  parseLimitsKey,
  type Changed,
  type Changes,
  type LimitsOf,
} from './limit-changes.ts'
import {
  limitsOfNode,
  limitsOfRole,
  nodeFloor,
  nodeTierOf,
  personFloor,
  tierOf,
  type NodeLimits,
  type PersonLimits,
} from './limits.ts'
import { roles, type Role } from './role.ts'
import type { Roster } from './roster.ts'

export interface HouseholdLimitsDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
  readonly rows: NodeRows
  readonly tiers: TierPort
  readonly use: UsePort
  readonly roster: Roster
}

/** Limits, and which of them somebody has set. */
export interface Told<T> {
  readonly limits: T
  readonly set: readonly string[]
}

export interface RoleLimits extends Told<PersonLimits> {
  readonly role: Role
}

export interface PersonUse extends MailboxUse {
  readonly calls: number
}

export interface LimitsOfPerson extends Told<PersonLimits> {
  readonly id: AccountId
  readonly name: string
  readonly role: Role
  readonly use: PersonUse
}

export interface LimitsOfNode extends Told<NodeLimits> {
  readonly use: NodeUse & { readonly calls: number }
}

/** People who are told of at once. */
const toldPeopleMax = 1000
/** Rows of all accounts that a node may have, of the roles and of the node. */
const rowsMax = 20_100

export class HouseholdLimits {
  readonly #deps: HouseholdLimitsDeps
  /** Set for one account, by its root public key. */
  readonly #accounts = new Map<string, Changed<PersonLimits>>()
  readonly #roles = new Map<Role, Changed<PersonLimits>>()
  #node: Changed<NodeLimits> = {}
  readonly #turns = new Turns()
  readonly #calls: CallRates

  /** Reads what was set, and tells the machine of every account; a row that does not decode is reported and left alone.
   *  @throws {AbzuError} those of the store */
  static async open(deps: HouseholdLimitsDeps): Promise<HouseholdLimits> {
    const limits = new HouseholdLimits(deps)
    for await (const { key, value } of deps.rows.range({ limit: rowsMax })) {
      try {
        limits.#know(parseLimitsKey(key), value)
      } catch (error) {
        deps.log.error('limits-unreadable', { error: toAbzuError(error) })
      }
    }
    deps.tiers.tellNode(nodeTierOf(limits.#ofNode()))
    limits.#tellAll(deps.roster.all())
    deps.roster.watch({
      changed: (entry) => limits.#tellAll([entry]),
      removed: (entry) => limits.#removed(entry),
    })
    return limits
  }

  private constructor(deps: HouseholdLimitsDeps) {
    this.#deps = deps
    this.#calls = new CallRates({
      clock: deps.clock,
      ofNode: () => this.#ofNode().calls,
      of: (id) => {
        const entry = deps.roster.get(id as AccountId)
        return (entry ? this.#of(entry) : this.#ofRole('admin')).calls
      },
    })
  }

  /** Counts a call of the control API, by an account or, without one, by the owner of the machine, who has what an Admin has.
   *  @throws {AbzuError} ABZU_RATE_LIMITED */
  call(id?: string): void {
    this.#calls.take(id)
  }

  /** The first thousand by name, and how many people there are.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  people(): { readonly people: LimitsOfPerson[]; readonly peopleCount: number } {
    const all = this.#deps.roster.all().sort((a, b) => (a.row.name < b.row.name ? -1 : 1))
    const people = all.slice(0, toldPeopleMax).map((entry) => this.#told(entry))
    return { people, peopleCount: all.length }
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, ABZU_STORE_DAMAGED */
  person(nameOrId: string): LimitsOfPerson {
    return this.#told(this.#deps.roster.find(nameOrId))
  }

  /** Of every role, the one that has least first. */
  ofRoles(): RoleLimits[] {
    return roles.toReversed().map((role) => this.#toldRole(role))
  }

  /** @throws {AbzuError} ABZU_STORE_DAMAGED */
  async node(): Promise<LimitsOfNode> {
    const use = { ...(await this.#deps.use.ofNode()), calls: this.#calls.nodeUsed }
    return { limits: this.#ofNode(), set: Object.keys(this.#node), use }
  }

  /** Sets limits of one person. They hold when this resolves, after fsync.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, ABZU_INVALID_ARGUMENT, those of the store */
  async setPerson(nameOrId: string, changes: Changes<PersonLimits>): Promise<LimitsOfPerson> {
    const entry = this.#deps.roster.find(nameOrId)
    const { rootPk } = entry.row
    await this.#turns.run('', async () => {
      const set = this.#changed(this.#accounts.get(mapKey(rootPk)), changes)
      await this.#store({ rootPk }, set, encodePersonLimits)
      this.#accounts.set(mapKey(rootPk), set)
      this.#tellAll([entry])
    })
    return this.#told(entry)
  }

  /** Sets limits of everybody of a role for whom nothing else is set. They hold when this resolves, after fsync.
   *  @throws {AbzuError} ABZU_INVALID_ARGUMENT, those of the store */
  async setRole(role: Role, changes: Changes<PersonLimits>): Promise<RoleLimits> {
    await this.#turns.run('', async () => {
      const set = this.#changed(this.#roles.get(role), changes)
      await this.#store({ role }, set, encodePersonLimits)
      this.#roles.set(role, set)
      this.#tellAll(this.#deps.roster.all().filter((entry) => roleOf(entry) === role))
    })
    return this.#toldRole(role)
  }

  /** Sets limits of the node. They hold when this resolves, after fsync.
   *  @throws {AbzuError} ABZU_INVALID_ARGUMENT, those of the store */
  async setNode(changes: Changes<NodeLimits>): Promise<LimitsOfNode> {
    const { tiers } = this.#deps
    await this.#turns.run('', async () => {
      const defaults = limitsOfNode(tiers.defaults)
      const set = changedLimits(this.#node, changes, { floor: nodeFloor, defaults })
      await this.#store('node', set, encodeNodeLimits)
      this.#node = set
      tiers.tellNode(nodeTierOf(this.#ofNode()))
    })
    return this.node()
  }

  #changed(before: Changed<PersonLimits> = {}, changes: Changes<PersonLimits>) {
    const defaults = limitsOfRole(this.#deps.tiers.defaults, 'adult')
    return changedLimits(before, changes, { floor: personFloor, defaults })
  }

  async #store<T extends object>(of: LimitsOf, set: T, encode: (set: T) => Uint8Array) {
    const { rows } = this.#deps
    if (Object.keys(set).length === 0) await rows.delete(limitsKey(of))
    else await rows.put(limitsKey(of), encode(set))
  }

  #know(of: LimitsOf, row: Uint8Array): void {
    if (of === 'node') this.#node = decodeNodeLimits(row)
    else if ('role' in of) this.#roles.set(of.role, decodePersonLimits(row))
    else this.#accounts.set(mapKey(of.rootPk), decodePersonLimits(row))
  }

  #ofNode(): NodeLimits {
    return { ...limitsOfNode(this.#deps.tiers.defaults), ...this.#node }
  }

  #ofRole(role: Role): PersonLimits {
    return { ...limitsOfRole(this.#deps.tiers.defaults, role), ...this.#roles.get(role) }
  }

  #of(entry: Entry): PersonLimits {
    return { ...this.#ofRole(roleOf(entry)), ...this.#accounts.get(mapKey(entry.row.rootPk)) }
  }

  #toldRole(role: Role): RoleLimits {
    return { role, limits: this.#ofRole(role), set: Object.keys(this.#roles.get(role) ?? {}) }
  }

  #told(entry: Entry): LimitsOfPerson {
    const { id, row } = entry
    const mailbox = mailboxIdOf(this.#deps.platform, row.rootPk)
    return {
      id,
      name: row.name,
      role: roleOf(entry),
      limits: this.#of(entry),
      set: Object.keys(this.#accounts.get(mapKey(row.rootPk)) ?? {}),
      use: { ...this.#deps.use.of(mailbox), calls: this.#calls.used(id) },
    }
  }

  /** One object of each role serves all for whom nothing else is set: there may be thousands. */
  #tellAll(entries: readonly Entry[]): void {
    const { platform, tiers } = this.#deps
    const byRole = new Map(roles.map((role) => [role, tierOf(this.#ofRole(role))]))
    for (const entry of entries) {
      // until it has come, what is here of it is a copy for its home
      if (entry.row.isAnnounced) continue
      const isUsual = !this.#accounts.has(mapKey(entry.row.rootPk))
      const usual = isUsual ? byRole.get(roleOf(entry)) : undefined
      tiers.tell(mailboxIdOf(platform, entry.row.rootPk), usual ?? tierOf(this.#of(entry)))
    }
  }

  #removed({ row: { rootPk } }: Pick<Entry, 'row'>): void {
    const { platform, tiers, rows, log } = this.#deps
    tiers.forget(mailboxIdOf(platform, rootPk))
    if (!this.#accounts.delete(mapKey(rootPk))) return
    rows.delete(limitsKey({ rootPk })).catch((error: unknown) => {
      // another account never has the same key
      log.warn('limits-not-forgotten', { error: toAbzuError(error) })
    })
  }
}
