/** Who a person is in the household. @module */

import { AbzuError } from '../../base/util/errors.ts'

export const roles = ['admin', 'adult', 'child', 'guest'] as const
export type Role = (typeof roles)[number]

/** @throws {AbzuError} ABZU_MALFORMED */
export function parseRole(text: string): Role {
  const role = roles.find((known) => known === text)
  if (!role) throw new AbzuError('ABZU_MALFORMED', 'a role that does not exist')
  return role
}
