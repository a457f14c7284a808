/** Invitations that this household has given: each makes one account, of the role that stands here. @module */

import {
  formatJoinLink,
  joinTokenHash,
  newJoinToken,
  parseJoinLink,
} from '../../base/crypto/join-link.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { fromHex, toHex } from '../../base/util/bytes.ts'
import { earliestMs, hourMs, hoursOf, isoOfHours, type Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { encode } from '../../base/wire/codec.ts'
import { invitedRoles, type InvitedRole } from '../../base/wire/join.ts'
import {
  decodeShape,
  literal,
  oneOf,
  optional,
  record,
  text,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'
import type { DirectoryPort, NodeRows } from '../account/ports.ts'
import type { Role } from './role.ts'

/** Invitations that nobody has used and that have not ended. */
const invitationsMax = 64
/** Four weeks. */
export const invitationHoursMax = 4 * 7 * 24
const invitationHoursDefault = 72
const idBytes = 8

const rowShape = record({
  v: literal(1),
  role: oneOf(...invitedRoles),
  expiresAtHours: uint(2 ** 32 - 1),
  /** Id of the account that gave it; of the machine's owner where left out. */
  by: optional(text(90)),
})
type Row = Shaped<typeof rowShape>

/** An invitation that works. */
export interface OpenInvitation {
  /** 16 hexadecimal digits. */
  readonly id: string
  readonly role: InvitedRole
  /** ISO 8601: it works before that. */
  readonly expiresAt: string
  /** Id of the account that gave it; of the machine's owner where left out. */
  readonly by?: string
}

export interface InvitationInit {
  /** Nobody becomes an Admin by a link. */
  readonly role: Role
  /** From 1 to 672.
   *  @default 72 */
  readonly hours?: number | undefined
  /** Id of the account that gives it. */
  readonly by?: string | undefined
}

export interface HouseholdInvitationsDeps {
  readonly platform: Pick<CryptoPlatform, 'random' | 'sha256'>
  readonly clock: Clock
  /** By the hash of their token. */
  readonly rows: NodeRows
  readonly directory: Pick<DirectoryPort, 'home'>
  /** Whether an account was made of the invitation whose token has this hash. */
  readonly isUsed: (tokenHash: Uint8Array) => boolean
}

export class HouseholdInvitations {
  readonly #deps: HouseholdInvitationsDeps

  constructor(deps: HouseholdInvitationsDeps) {
    this.#deps = deps
  }

  /** Resolves with a link, `abzu-join:...`, that works once, when that is durable.
   *  @throws {AbzuError} ABZU_DENIED (role), ABZU_INVALID_ARGUMENT (hours), ABZU_QUOTA_EXCEEDED, those of the store */
  async give({
    role,
    hours = invitationHoursDefault,
    by,
  }: InvitationInit): Promise<{ link: string; expiresAt: string }> {
    const { platform, clock, rows, directory } = this.#deps
    if (role === 'admin') throw new AbzuError('ABZU_DENIED', 'nobody becomes an Admin by a link')
    if (!Number.isInteger(hours) || hours < 1 || hours > invitationHoursMax) {
      const message = `an invitation works for 1 to ${invitationHoursMax} hours`
      throw new AbzuError('ABZU_INVALID_ARGUMENT', message)
    }
    if ((await this.list()).length >= invitationsMax) {
      const message = `at most ${invitationsMax} invitations wait to be used: revoke one`
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', message)
    }
    const token = newJoinToken(platform)
    const expiresAtHours = Math.ceil(clock.nowMs() / hourMs) + hours
    const row = rowShape(
      { v: 1, role, expiresAtHours, ...(by !== undefined && { by }) },
      'invitation',
    )
    await rows.put(joinTokenHash(platform, token), encode({ ...row }))
    const { peerId, addresses = [] } = directory.home()
    const link = formatJoinLink({ v: 1, peerId, addresses, role, token, expiresAtHours })
    return { link, expiresAt: isoOfHours(expiresAtHours) }
  }

  /** Those that work, the first to end first. What has ended or was used is forgotten.
   *  @throws {AbzuError} those of the store */
  async list(): Promise<OpenInvitation[]> {
    const open: OpenInvitation[] = []
    for (const { key, row } of await this.#rows()) {
      if (this.#isOpen(key, row)) open.push(openInvitation(key, row))
      else await this.#deps.rows.delete(key)
    }
    return open.sort((a, b) => (a.expiresAt < b.expiresAt ? -1 : 1))
  }

  /** Ends an invitation, given by its id or its link. Resolves after fsync.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LINK_INVALID, those of the store */
  async revoke(idOrLink: string): Promise<OpenInvitation> {
    const id = isId(idOrLink) ? idOrLink.toLowerCase() : idOf(this.#hashIn(idOrLink))
    const found = (await this.#rows()).find(({ key }) => idOf(key) === id)
    if (!found || !this.#isOpen(found.key, found.row)) throw noInvitation()
    await this.#deps.rows.delete(found.key)
    return openInvitation(found.key, found.row)
  }

  /** What a link is for: it works still, and it is of this node.
   *  @throws {AbzuError} ABZU_LINK_INVALID; ABZU_INVALID_ARGUMENT where it is another node's; ABZU_DENIED where it has ended, was used or
   *  revoked, or never was one */
  find(link: string): { readonly tokenHash: Uint8Array; readonly role: InvitedRole } {
    const { directory, rows } = this.#deps
    const { peerId } = parseJoinLink(link)
    if (peerId !== directory.home().peerId) {
      throw new AbzuError('ABZU_INVALID_ARGUMENT', `this invitation is of another node: ${peerId}`)
    }
    const tokenHash = this.#hashIn(link)
    const value = rows.get(tokenHash)
    const row = value && decodeShape(rowShape, value, 'invitation')
    if (row && this.#isOpen(tokenHash, row)) return { tokenHash, role: row.role }
    const message = 'this invitation was used or revoked, or its time is over'
    throw new AbzuError('ABZU_DENIED', message)
  }

  /** An account was made of it. One whose row stays is known by the account. */
  async forget(tokenHash: Uint8Array): Promise<void> {
    await this.#deps.rows.delete(tokenHash)
  }

  async #rows(): Promise<{ key: Uint8Array; row: Row }[]> {
    const all: { key: Uint8Array; row: Row }[] = []
    // those that wait, and as many that have ended since they were last looked at
    for await (const { key, value } of this.#deps.rows.range({ limit: 2 * invitationsMax })) {
      all.push({ key, row: decodeShape(rowShape, value, 'invitation') })
    }
    return all
  }

  #isOpen(tokenHash: Uint8Array, { expiresAtHours }: Row): boolean {
    const { clock, isUsed } = this.#deps
    return hoursOf(earliestMs(clock)) < expiresAtHours && !isUsed(tokenHash)
  }

  #hashIn(link: string): Uint8Array {
    return joinTokenHash(this.#deps.platform, parseJoinLink(link).token)
  }
}

function noInvitation(): AbzuError {
  return new AbzuError('ABZU_NOT_FOUND', 'there is no such invitation, or it has ended')
}

function idOf(tokenHash: Uint8Array): string {
  return toHex(tokenHash.subarray(0, idBytes))
}

function isId(text: string): boolean {
  return text.length === 2 * idBytes && fromHex(text) !== undefined
}

function openInvitation(key: Uint8Array, { role, expiresAtHours, by }: Row): OpenInvitation {
  return {
    id: idOf(key),
    role,
    expiresAt: isoOfHours(expiresAtHours),
    ...(by !== undefined && { by }),
  }
}
