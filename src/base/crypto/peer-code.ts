/**
 * Codes by which two nodes come to trust each other, `abzu-peer:<base64url>`: who gave it, where that node is, and a
 * token that works once.
 * @see docs/protocol.md#pairing
 * @module
 */

import { pairTokenBytes, peerCodeShape, type PeerCode } from '../wire/pair.ts'
import { formatCode, parseCode } from './code-text.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

const kind = { scheme: 'abzu-peer:', shape: peerCodeShape, what: 'a code of a peer' }

/** A fresh token, 16 bytes: travels only inside a code, and to the node that gave it. */
export function newPeerToken(platform: Pick<CryptoPlatform, 'random'>): Uint8Array {
  return platform.random(pairTokenBytes)
}

/** What the node that gave a token keeps of it, 32 bytes. */
export function peerTokenHash(
  platform: Pick<CryptoPlatform, 'sha256'>,
  token: Uint8Array,
): Uint8Array {
  return platform.sha256(labels.peerToken, token)
}

/** The code's text, ASCII. */
export function formatPeerCode(code: PeerCode): string {
  return formatCode(kind, code)
}

/** @throws {AbzuError} ABZU_LINK_INVALID */
export function parsePeerCode(text: string): PeerCode {
  return parseCode(kind, text)
}
