/** Links by which others can write to the account: one door each, shut one by one. @module */

import { doorIdOf, doorKeyOf } from '../../base/crypto/door.ts'
import { formatContactLink, parseContactLink } from '../../base/crypto/link.ts'
import { fromHex, toHex } from '../../base/util/bytes.ts'
import { isoOfHours } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { doorIdBytes } from '../../base/wire/deliver.ts'
import type { Door } from '../../base/wire/records.ts'
import type { Account } from '../account/account.ts'

export interface LinkInit {
  /** Letters that may come through the link; not counted where left out. */
  readonly uses?: number
  /** @default 30 */
  readonly days?: number
}

/** A link that was given to others. */
export interface OpenLink {
  /** 16 hexadecimal digits. */
  readonly id: string
  /** ISO 8601: it works before that. */
  readonly until: string
  /** Letters that may come through it in all; not counted where left out. */
  readonly uses?: number
}

const linkDaysDefault = 30
const linkDaysMax = 400
const linkUsesMax = 10_000

export class Links {
  readonly #account: Account

  constructor(account: Account) {
    this.#account = account
  }

  /** A contact link that opens a door of its own: `abzu:abzu1...#...`. Resolves when the door is durable.
   *  @throws {AbzuError} ABZU_INVALID_ARGUMENT, ABZU_QUOTA_EXCEEDED, ABZU_LOCKED */
  async open({ uses, days = linkDaysDefault }: LinkInit): Promise<string> {
    if (uses !== undefined) expectBetween(uses, linkUsesMax, 'uses of a link')
    expectBetween(days, linkDaysMax, 'days of a link')
    const account = this.#account
    return account.gate.pass(async () => {
      const door = account.doors.forLink({ days, ...(uses !== undefined && { uses }) })
      await account.write([door.draft])
      return formatContactLink(account.id, { v: 1, home: account.home, token: door.token })
    })
  }

  /** The links that work, the first to end first.
   *  @throws {AbzuError} ABZU_LOCKED */
  list(): OpenLink[] {
    this.#account.gate.check()
    return this.#account.doors.links().map(openLinkOf)
  }

  /** Shuts one link, given by its id or itself, and touches no other. Who has written through it stays what
   *  they are. Resolves when the door is shut.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LINK_INVALID, ABZU_LOCKED, those of the store */
  async shut(idOrLink: string): Promise<OpenLink> {
    const account = this.#account
    return account.gate.pass(async () => {
      const id = isDoorId(idOrLink) ? idOrLink.toLowerCase() : this.#doorOf(idOrLink)
      const door = account.doors.links().find((one) => toHex(one.id) === id)
      if (!door) throw new AbzuError('ABZU_NOT_FOUND', 'there is no such link, or it has ended')
      await account.write([account.doors.shutLink(door)])
      account.doors.forget(door)
      return openLinkOf(door)
    })
  }

  #doorOf(link: string): string {
    const { platform } = this.#account
    return toHex(doorIdOf(platform, doorKeyOf(platform, parseContactLink(link).link.token)))
  }
}

function isDoorId(text: string): boolean {
  return text.length === 2 * doorIdBytes && fromHex(text) !== undefined
}

function openLinkOf({ id, untilHours, uses }: Door): OpenLink {
  const until = isoOfHours(untilHours)
  return { id: toHex(id), until, ...(uses !== undefined && { uses }) }
}

function expectBetween(value: number, max: number, what: string): void {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', `${what}: from 1 to ${max}`)
  }
}
