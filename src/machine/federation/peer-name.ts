/** What the owner of a node calls others: one rule for what is typed and for what a node says of itself. @module */

import type { PeerId } from '../../base/util/brand.ts'
import { utf8 } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { inertLine } from '../../base/util/inert-text.ts'
import { wireLimits } from '../../base/wire/limits.ts'

const nameCharactersMax = 64
/** Three bytes each at most, and room for a number behind. */
const claimedCharactersMax = 40

/** The name that a person types: inert, on one line, and no peer id.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export function parsePeerName(typed: string): string {
  const name = typed.normalize('NFC').trim()
  const isShown = name.length > 0 && inertLine(name, name.length) === name
  const isShort =
    Array.from(name).length <= nameCharactersMax && utf8(name).length <= wireLimits.nameBytesMax
  if (isShown && isShort && !isPeerIdLike(name)) return name
  throw new AbzuError(
    'ABZU_INVALID_ARGUMENT',
    `a node's name is one visible line of at most ${nameCharactersMax} characters and ${wireLimits.nameBytesMax} bytes, and no peer id`,
  )
}

/** What a node calls itself, made harmless to show. */
export function claimedPeerName(text: string, peerId: PeerId): string {
  const name = inertLine(text.toWellFormed().trim(), claimedCharactersMax)
  return name.length > 0 && !isPeerIdLike(name) ? name : `node ${peerId.slice(-6)}`
}

/** `name`, or the first of `name 2`, `name 3`... that is not taken. */
export function untakenName(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name
  const head = inertLine(name, claimedCharactersMax)
  let number = 2
  while (isTaken(`${head} ${number}`)) number++
  return `${head} ${number}`
}

function isPeerIdLike(name: string): boolean {
  return /^12D3Koo/i.test(name)
}
