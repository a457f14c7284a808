/**
 * Who may do what to whom: the whole of it, as data. What is not listed here is denied.
 * @see docs/roles.md, which is made of this table
 * @module
 */

import type { Role } from './role.ts'

/** Who acts: a person of the household by its role, or whoever can open the daemon's own socket and shows no session: the
 *  user of the machine under whom the daemon runs. */
export type ActorKind = 'owner' | Role
export const actorKinds = ['owner', 'admin', 'adult', 'child', 'guest'] as const

/** On what: the node, the actor's own account, or another account by its role. */
export type TargetKind = 'node' | 'self' | Role
export const targetKinds = ['node', 'self', 'admin', 'adult', 'child', 'guest'] as const

const anyone = actorKinds
const everybody = ['admin', 'adult', 'child', 'guest'] as const
const grownUps = ['admin', 'adult'] as const
const household = ['owner', 'admin', 'adult'] as const

type Rule = Readonly<Partial<Record<TargetKind, readonly ActorKind[]>>>

/** Operation by operation: on what, and by whom. */
export const decisions = {
  'node.look': { node: anyone },
  'node.settings': { node: household },
  'peer.look': { node: anyone },
  'peer.trust': { node: household },

  'limits.look': { node: household, self: everybody },
  'limits.change': { node: household },

  'session.open': { node: anyone },
  'account.create': { admin: ['owner', 'admin'], adult: household, child: household },
  'account.invite': { adult: household, child: household, guest: household },
  'account.join': { node: anyone },
  'account.upload': { node: household },
  'account.export': { self: everybody },
  'account.move': { self: grownUps },
  'invitation.look': { node: household },
  'invitation.revoke': { node: household },

  'account.delete': {
    self: everybody,
    adult: ['admin'],
    child: ['admin'],
    guest: ['admin', 'adult'],
  },
  'account.keep': { adult: ['admin'] },
  'admin.make': { adult: ['admin'] },
  'admin.unmake': { self: ['admin'], admin: ['admin'] },
  'child.let-grow-up': { child: ['admin'] },
  'child.grow-up': { self: ['child'] },
  'oversight.look': { node: grownUps, child: grownUps, self: ['child'] },
  'oversight.rule': { child: grownUps },
  'account.rekey': { node: anyone },
  'oversight.inspect': { child: ['admin'] },
  'audit.look': { self: everybody },

  'account.lock': { self: everybody },
  'account.keys': { self: everybody },
  'share.look': { self: everybody },
  'contact.look': { self: everybody },
  'contact.change': { self: everybody },
  'strangers.look': { self: everybody },
  'strangers.change': { self: ['admin', 'adult', 'guest'] },
  'holders.look': { self: everybody },
  'holders.change': { self: ['admin', 'adult', 'guest'] },
  'message.read': { self: everybody },
  'message.send': { self: everybody },
} as const satisfies Record<string, Rule>

export type Operation = keyof typeof decisions
export const operations = Object.keys(decisions) as readonly Operation[]

/** Whether the table lets `actor` do `operation` on `target`. */
export function isAllowed(actor: ActorKind, operation: Operation, target: TargetKind): boolean {
  const rule: Rule = decisions[operation]
  return rule[target]?.includes(actor) ?? false
}
