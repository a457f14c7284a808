/** Names of people, one rule for all of them: what an account calls itself and what it calls others. @module */

import { utf8 } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { inertLine } from '../../base/util/inert-text.ts'
import { wireLimits } from '../../base/wire/limits.ts'

/** Three bytes each at most. */
const claimedCharactersMax = 40

/** The name that a person types: inert, on one line, and no address.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export function parsePersonName(typed: string): string {
  const name = typed.normalize('NFC').trim()
  const isShown = name.length > 0 && inertLine(name, name.length) === name
  if (!isShown || utf8(name).length > wireLimits.nameBytesMax) {
    throw new AbzuError(
      'ABZU_INVALID_ARGUMENT',
      `a name is one visible line of at most ${wireLimits.nameBytesMax} bytes`,
    )
  }
  if (/^(abzu[1:]|did:)/i.test(name)) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a name does not look like an address')
  }
  return name
}

/** What a stranger calls itself, made harmless to show. */
export function claimedName(text: string): string {
  return inertLine(text, claimedCharactersMax).toWellFormed()
}

/** Whether a text means an address and not a name. */
export function isAddress(text: string): boolean {
  return text.startsWith('abzu1') || text.startsWith('did:')
}
