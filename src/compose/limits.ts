/** Puts together what people and nodes may have and do here, and what the control API tells and sets of it. @module */

import type { PeerId } from '../base/util/brand.ts'
import type { TrustedPeers } from '../machine/federation/trusted-peers.ts'
import { MailboxUses, type MailboxUsesDeps } from '../machine/mailbox/mailbox-use.ts'
import type { Mailboxes } from '../machine/mailbox/mailboxes.ts'
import type { LimitsService } from '../surface/api/services.ts'
import type { AccountManager } from '../user/household/account-manager.ts'

/** What the household is given: whom it tells of limits, and whom it asks how much of them is used. */
export function limitPorts(parts: MailboxUsesDeps & { readonly mailboxes: Mailboxes }) {
  return { tiers: parts.mailboxes.tiers, use: new MailboxUses(parts) }
}

export interface LimitsParts {
  readonly limits: AccountManager['limits']
  readonly trusted: TrustedPeers
  /** Bytes that are kept for a peer. */
  readonly usedBytes: (peer: PeerId) => Promise<number>
}

export function limitsService({ limits, trusted, usedBytes }: LimitsParts): LimitsService {
  const told = async (peer: { peerId: PeerId; name: string; quotaBytes: number }) => {
    const { peerId, name, quotaBytes } = peer
    return { peerId, name, quotaBytes, usedBytes: await usedBytes(peerId) }
  }
  return {
    call: (id) => limits.call(id),
    look: async () => ({
      ...limits.people(),
      roles: limits.ofRoles(),
      node: await limits.node(),
      peers: await Promise.all(trusted.list().map(told)),
    }),
    person: (nameOrId) => limits.person(nameOrId),
    setPerson: async (nameOrId, changes) => limits.setPerson(nameOrId, changes),
    setRole: async (role, changes) => limits.setRole(role, changes),
    setNode: async (changes) => limits.setNode(changes),
    setPeer: async (nameOrPeerId, quotaBytes) =>
      told(await trusted.setQuota(nameOrPeerId, quotaBytes)),
  }
}
