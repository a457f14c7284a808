/**
 * Codes by which two nodes come to trust each other, `abzu-peer:<base64url>`: who gave it, where that node is, and a
 * token that works once.
 * @see docs/protocol.md#pairing
 * @module
 */

import { AbzuError } from '../util/errors.ts'
import { encode } from '../wire/codec.ts'
import { pairTokenBytes, peerCodeShape, type PeerCode } from '../wire/pair.ts'
import { decodeShape } from '../wire/shape.ts'
import { parsePeerId } from './address.ts'
import { fromBase64url, toBase64url } from './base64url.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

const scheme = 'abzu-peer:'
/** Eight addresses of 256 bytes, in base64, and room. */
const charactersMax = 4096

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
  return `${scheme}${toBase64url(encode(peerCodeShape(code, 'code')))}`
}

/** @throws {AbzuError} ABZU_LINK_INVALID */
export function parsePeerCode(text: string): PeerCode {
  try {
    return parse(text)
  } catch (cause) {
    if (!(cause instanceof AbzuError)) throw cause
    throw new AbzuError('ABZU_LINK_INVALID', 'this is no valid code of a peer', { cause })
  }
}

function parse(text: string): PeerCode {
  if (text.length > charactersMax || !text.startsWith(scheme)) {
    throw new AbzuError('ABZU_MALFORMED', `not ${scheme} and at most ${charactersMax} characters`)
  }
  const code = decodeShape(peerCodeShape, fromBase64url(text.slice(scheme.length)), 'code')
  return { ...code, peerId: parsePeerId(code.peerId) }
}
