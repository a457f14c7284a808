/** Numbers of bytes as people write them. @module */

import { AbzuError } from '../../base/util/errors.ts'

const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** Reads `500 MB`, `5GB`, `1.5gb` or a plain number of bytes; a unit is a thousand of the one before it.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export function parseByteCount(text: string): number {
  const [, digits = '', unit = 'B'] = /^(\d+(?:\.\d+)?)\s*([KMGT]?B)?$/i.exec(text.trim()) ?? []
  const power = units.findIndex((known) => known === unit.toUpperCase())
  const bytes = Math.round(Number(digits) * 1000 ** power)
  if (digits !== '' && Number.isSafeInteger(bytes)) return bytes
  throw new AbzuError('ABZU_INVALID_ARGUMENT', `${text} is no size, such as 500MB or 5GB`)
}

/** The largest unit in which there is at least one, with at most one decimal. */
export function formatByteCount(bytes: number): string {
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return `${Number((bytes / 1000 ** power).toFixed(1))} ${units[power]}`
}
