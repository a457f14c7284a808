/**
 * Invitations to a household, `abzu-join:<base64url>`: which node, what role, and a token that works once.
 * @see docs/protocol.md#invitations
 * @module
 */

import type { PeerId } from '../util/brand.ts'
import { joinLinkShape, joinTokenBytes, type JoinLink } from '../wire/join.ts'
import { formatCode, parseCode } from './code-text.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

const kind = { scheme: 'abzu-join:', shape: joinLinkShape, what: 'an invitation to a household' }

/** A fresh token, 16 bytes: travels only inside a link. */
export function newJoinToken(platform: Pick<CryptoPlatform, 'random'>): Uint8Array {
  return platform.random(joinTokenBytes)
}

/** What the node keeps of a token, 32 bytes. */
export function joinTokenHash(
  platform: Pick<CryptoPlatform, 'sha256'>,
  token: Uint8Array,
): Uint8Array {
  return platform.sha256(labels.joinToken, token)
}

/** The link's text, ASCII. */
export function formatJoinLink(link: JoinLink): string {
  return formatCode(kind, link)
}

/** @throws {AbzuError} ABZU_LINK_INVALID */
export function parseJoinLink(text: string): JoinLink & { readonly peerId: PeerId } {
  return parseCode(kind, text)
}
