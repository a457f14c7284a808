/** Invitations in memory. @module */

import { AbzuError } from '../../src/base/util/errors.ts'
import type { Invitation, InvitationsService } from '../../src/surface/api/services.ts'

const time = '2026-11-05T12:00:00.000Z'

/** Links by which nobody joins. */
export class FakeInvitations implements InvitationsService {
  readonly #open = new Map<string, Invitation>()

  give = async ({ role, by }: Parameters<InvitationsService['give']>[0]) => {
    const id = String(this.#open.size).padStart(16, '0')
    this.#open.set(id, { id, role, expiresAt: time, ...(by !== undefined && { by }) })
    return { link: `abzu-join:${id}`, expiresAt: time }
  }
  list = async () => [...this.#open.values()]
  revoke = async (idOrLink: string) => {
    const id = idOrLink.replace('abzu-join:', '')
    const invitation = this.#open.get(id)
    if (!invitation) throw new AbzuError('ABZU_NOT_FOUND', 'no such invitation')
    this.#open.delete(id)
    return invitation
  }
}
