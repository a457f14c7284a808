/** The one place where the table of decisions is asked. @module */

import { AbzuError } from '../../base/util/errors.ts'
import { isAllowed, type ActorKind, type Operation, type TargetKind } from './decisions.ts'
import type { Role } from './role.ts'

/** A person by its session; the owner of the machine where there is none. */
export type Actor = { readonly id: string; readonly role: Role } | undefined

/** On what somebody wants to act: the node, the own account, any account by name or id, or an account that is to be made. */
export type Aim = 'node' | 'self' | { readonly account: string } | { readonly role: Role }

export interface AuthorityDeps {
  /** @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID */
  readonly accountOf: (nameOrId: string) => { readonly id: string; readonly role: Role }
}

export class Authority {
  readonly #deps: AuthorityDeps

  constructor(deps: AuthorityDeps) {
    this.#deps = deps
  }

  /** Returns where `actor` may do `operation` on `aim`.
   *  @throws {AbzuError} ABZU_DENIED; ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID where there is no such account */
  expect(actor: Actor, operation: Operation, aim: Aim): void {
    const kind: ActorKind = actor?.role ?? 'owner'
    const target = this.#targetOf(actor, aim)
    if (isAllowed(kind, operation, target)) return
    const whom = target === 'node' || target === 'self' ? '' : ` to ${aOrAn(target)}`
    throw new AbzuError('ABZU_DENIED', `${aOrAn(kind)} may not do this${whom}: ${operation}`)
  }

  #targetOf(actor: Actor, aim: Aim): TargetKind {
    if (aim === 'node' || aim === 'self') return aim
    if ('role' in aim) return aim.role
    const { id, role } = this.#deps.accountOf(aim.account)
    return id === actor?.id ? 'self' : role
  }
}

function aOrAn(kind: ActorKind): string {
  if (kind === 'owner') return 'whoever has no session'
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`
}
