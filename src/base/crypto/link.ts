/**
 * Contact links, `abzu:abzu1...#<base64url>`: who, where at home, and the token of one door. What follows
 * the `#` opens that door, so a link is for the person it is given to.
 * @see docs/protocol.md#contact-links
 * @module
 */

import type { AccountId } from '../util/brand.ts'
import { AbzuError } from '../util/errors.ts'
import { encode } from '../wire/codec.ts'
import { contactLinkShape, type ContactLink } from '../wire/records.ts'
import { decodeShape } from '../wire/shape.ts'
import { parseAccountId, parsePeerId } from './address.ts'
import { fromBase64url, toBase64url } from './base64url.ts'

const scheme = 'abzu:'
/** Eight addresses of 256 bytes, in base64, and room. */
const charactersMax = 4096

/** The link's text, ASCII. */
export function formatContactLink(account: AccountId, link: ContactLink): string {
  const content = encode(contactLinkShape(link, 'link'))
  return `${scheme}${account}#${toBase64url(content)}`
}

/** @throws {AbzuError} ABZU_LINK_INVALID */
export function parseContactLink(text: string): { account: AccountId; link: ContactLink } {
  try {
    return parse(text)
  } catch (cause) {
    if (!(cause instanceof AbzuError)) throw cause
    throw new AbzuError('ABZU_LINK_INVALID', 'this is no valid contact link', { cause })
  }
}

function parse(text: string): { account: AccountId; link: ContactLink } {
  if (text.length > charactersMax) {
    throw new AbzuError('ABZU_MALFORMED', `longer than ${charactersMax} characters`)
  }
  const [address, content, ...rest] = text.slice(scheme.length).split('#')
  const isLink = text.startsWith(scheme) && rest.length === 0
  if (!isLink || !address || !content) {
    throw new AbzuError('ABZU_MALFORMED', 'not of the form abzu:abzu1...#...')
  }
  const account = parseAccountId(address)
  const link = decodeShape(contactLinkShape, fromBase64url(content), 'link')
  parsePeerId(link.home.peerId)
  return { account, link }
}
