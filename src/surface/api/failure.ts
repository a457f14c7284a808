/** How an error is told to a caller. @module */

import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import { inertLine } from '../../base/util/inert-text.ts'
import { httpStatusOf } from './http-status.ts'

export interface Failure {
  readonly status: number
  readonly body: { readonly error: { readonly code: AbzuError['code']; readonly message: string } }
}

/** The status and the text for `error`; of a bug of ours, nothing but that there is one. */
export function failureOf(error: unknown): Failure {
  const known = asAbzuError(error)
  const status = statusOf(error) ?? httpStatusOf[known.code]
  return { status, body: { error: { code: known.code, message: inertLine(known.message, 500) } } }
}

/** The HTTP framework's errors have a status and no code of ours. */
function asAbzuError(error: unknown): AbzuError {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const complaints = error.validation.map(({ instancePath, message }) =>
      `${instancePath.slice(1).replaceAll('/', '.')} ${message ?? ''}`.trim(),
    )
    return new AbzuError('ABZU_INVALID_ARGUMENT', complaints.join('; '), { cause: error })
  }
  const status = statusOf(error)
  if (status === undefined) return toAbzuError(error)
  if (status === 413)
    return new AbzuError('ABZU_TOO_LARGE', 'the request is too large', { cause: error })
  const message =
    status === 415 ? 'a request is application/json' : 'the request cannot be understood'
  return new AbzuError('ABZU_INVALID_ARGUMENT', message, { cause: error })
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof AbzuError) return undefined
  const status = (error as { statusCode?: unknown } | null)?.statusCode
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined
}
