/** Codes that people hand to each other: `<scheme>:<base64url>` of one record that names a node. @module */

import type { PeerId } from '../util/brand.ts'
import { AbzuError } from '../util/errors.ts'
import { encode } from '../wire/codec.ts'
import { decodeShape, type Shape } from '../wire/shape.ts'
import { parsePeerId } from './address.ts'
import { fromBase64url, toBase64url } from './base64url.ts'

/** Eight addresses of 256 bytes, in base64, and room. */
const charactersMax = 4096

export interface CodeKind<T extends { readonly peerId: string }> {
  /** With its colon. */
  readonly scheme: string
  readonly shape: Shape<T>
  /** What it is called where one is not valid. */
  readonly what: string
}

/** The code's text, ASCII.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function formatCode<T extends { readonly peerId: string }>(
  { scheme, shape, what }: CodeKind<T>,
  code: T,
): string {
  return `${scheme}${toBase64url(encode({ ...shape(code, what) }))}`
}

/** @throws {AbzuError} ABZU_LINK_INVALID */
export function parseCode<T extends { readonly peerId: string }>(
  { scheme, shape, what }: CodeKind<T>,
  text: string,
): T & { readonly peerId: PeerId } {
  if (text.length > charactersMax || !text.startsWith(scheme)) {
    const message = `${what} begins with ${scheme} and has at most ${charactersMax} characters`
    throw new AbzuError('ABZU_LINK_INVALID', message)
  }
  try {
    const code = decodeShape(shape, fromBase64url(text.slice(scheme.length)), what)
    return { ...code, peerId: parsePeerId(code.peerId) }
  } catch (cause) {
    if (!(cause instanceof AbzuError)) throw cause
    throw new AbzuError('ABZU_LINK_INVALID', `this is not ${what}`, { cause })
  }
}
