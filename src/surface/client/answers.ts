/** What the daemon answers, checked before it is believed. @module */

import { AbzuError } from '../../base/util/errors.ts'
import type { Route } from './route.ts'
import { errorSchema } from './schemas.ts'

/** A value as its route answers it.
 *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION */
export function checked(route: Route, value: unknown): unknown {
  const result = route.answer.safeParse(value)
  if (result.success) return result.data
  throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'the daemon answered another shape', {
    cause: result.error,
  })
}

/** @throws {AbzuError} the one that the daemon answered, where it is one */
export function throwIfError(value: unknown): void {
  const result = errorSchema.safeParse(value)
  if (result.success) throw new AbzuError(result.data.error.code, result.data.error.message)
}
