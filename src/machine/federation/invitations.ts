/** Codes that this node has given and that still count. Of a token only the hash is kept. @module */

import { newPeerToken, peerTokenHash } from '../../base/crypto/peer-code.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { RowChange, Table } from '../../base/store/table.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { earliestMs, hourMs, hoursOf, type Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import {
  decodeShape,
  literal,
  optional,
  record,
  text,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'
import type { FederationLimits } from './federation-limits.ts'

const rowShape = record({
  v: literal(1),
  /** What its owner will call whoever uses it; by its own name where left out. */
  name: optional(text(wireLimits.nameBytesMax)),
  quotaBytes: uint(wireLimits.quotaBytesMax),
  expiresAtHours: uint(2 ** 32 - 1),
  /** Who has used it: a second answer to the same peer does no harm, should the first have got lost. */
  usedBy: optional(text(64)),
})

/** A code that was given. */
export interface Invitation extends Shaped<typeof rowShape> {
  readonly tokenHash: Uint8Array
}

export interface InvitationsDeps {
  readonly platform: Pick<CryptoPlatform, 'random' | 'sha256'>
  readonly table: Table
  readonly clock: Clock
  readonly isTrusted: (peerId: PeerId) => boolean
  readonly limits: Pick<FederationLimits, 'invitesMax' | 'trustedPeersMax'>
}

export class Invitations {
  readonly #deps: InvitationsDeps

  constructor(deps: InvitationsDeps) {
    this.#deps = deps
  }

  /** Makes a token that works for `hours`, rounded up to a whole one. Resolves after fsync.
   *  @throws {AbzuError} ABZU_QUOTA_EXCEEDED, those of the store */
  async make({
    hours,
    ...init
  }: Pick<Invitation, 'name' | 'quotaBytes'> & { hours: number }): Promise<{
    token: Uint8Array
    expiresAtHours: number
  }> {
    const { platform, table, clock, limits } = this.#deps
    if ((await this.#swept()) >= limits.invitesMax) {
      const message = `at most ${limits.invitesMax} codes wait to be used: they end by themselves`
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', message)
    }
    const token = newPeerToken(platform)
    const expiresAtHours = Math.ceil(clock.nowMs() / hourMs) + hours
    const row = rowShape({ v: 1, ...init, expiresAtHours }, 'invitation')
    await table.put(peerTokenHash(platform, token), encode({ ...row }))
    return { token, expiresAtHours }
  }

  /** What `token` is for, until it ends.
   *  @throws {AbzuError} those of the store */
  find(token: Uint8Array): Invitation | undefined {
    const { platform, table } = this.#deps
    const tokenHash = peerTokenHash(platform, token)
    const value = table.get(tokenHash)
    const invitation = value && { ...decodeShape(rowShape, value, 'invitation'), tokenHash }
    return invitation && !this.#isOver(invitation) ? invitation : undefined
  }

  /** The changes by which `peer` has used `invitation`; one that it used before is forgotten.
   *  @throws {AbzuError} those of the store */
  async use({ tokenHash, ...row }: Invitation, peer: PeerId): Promise<RowChange[]> {
    const { name: table } = this.#deps.table
    const changes: RowChange[] = []
    for await (const { key, invitation } of this.#rows()) {
      if (invitation.usedBy === peer) changes.push({ table, key, value: undefined })
    }
    return [...changes, { table, key: tokenHash, value: encode({ ...row, usedBy: peer }) }]
  }

  /** Removes what is of no more use, and counts what waits to be used. */
  async #swept(): Promise<number> {
    let waiting = 0
    for await (const { key, invitation } of this.#rows()) {
      const { usedBy } = invitation
      const isSpent = usedBy !== undefined && !this.#deps.isTrusted(usedBy as PeerId)
      if (isSpent || this.#isOver(invitation)) await this.#deps.table.delete(key)
      else if (usedBy === undefined) waiting++
    }
    return waiting
  }

  async *#rows() {
    const { table, limits } = this.#deps
    // those that wait, and one that each peer has used; some of those may be trusted no more
    const limit = 2 * limits.invitesMax + limits.trustedPeersMax
    for await (const { key, value } of table.range({ limit })) {
      yield { key, invitation: decodeShape(rowShape, value, 'invitation') }
    }
  }

  #isOver({ expiresAtHours }: Pick<Invitation, 'expiresAtHours'>): boolean {
    return hoursOf(earliestMs(this.#deps.clock)) >= expiresAtHours
  }
}
