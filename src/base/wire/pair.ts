/**
 * What makes two nodes trust each other: the code that one owner hands to the other, and the one call of
 * `/abzu/pair/1.0.0` by which it is taken up.
 * @see docs/protocol.md#pairing
 * @module
 */

import { encode } from './codec.ts'
import { wireLimits } from './limits.ts'
import {
  bytes,
  decodeShape,
  list,
  literal,
  record,
  text,
  tuple,
  uint,
  type Shaped,
} from './shape.ts'

/** What a code proves to know. */
export const pairTokenBytes = 16

/** Where a node is reached, each without its peer id. */
const addresses = list(text(wireLimits.addressBytesMax), wireLimits.addressesMax)
const quotaBytes = uint(wireLimits.quotaBytesMax)

/** What a code carries. */
export const peerCodeShape = record({
  v: literal(1),
  /** The node that gave the code. */
  peerId: text(64),
  addresses,
  token: bytes(pairTokenBytes),
  /** Hours since 1970. */
  expiresAtHours: uint(2 ** 32 - 1),
})
export type PeerCode = Shaped<typeof peerCodeShape>

export interface PairRequest {
  /** That of a code which the other node gave. */
  readonly token: Uint8Array
  /** What the asking node calls itself. */
  readonly name: string
  /** Bytes that the asking node will keep for the other. */
  readonly quotaBytes: number
  readonly addresses: readonly string[]
}

/** The same of the node that gave the code. */
export type PairAnswer = Pick<PairRequest, 'name' | 'quotaBytes'>

const askTag = 0
const requestShape = tuple(
  literal(askTag),
  bytes(pairTokenBytes),
  text(wireLimits.nameBytesMax),
  quotaBytes,
  addresses,
)
const answerShape = tuple(text(wireLimits.nameBytesMax), quotaBytes)

export function encodePairRequest(request: PairRequest): Uint8Array {
  return encode([askTag, request.token, request.name, request.quotaBytes, request.addresses])
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodePairRequest(payload: Uint8Array): PairRequest {
  const [, token, name, quotaBytes, addresses] = decodeShape(requestShape, payload, 'pair request')
  return { token, name, quotaBytes, addresses }
}

export function encodePairAnswer({ name, quotaBytes }: PairAnswer): Uint8Array {
  return encode([name, quotaBytes])
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodePairAnswer(payload: Uint8Array): PairAnswer {
  const [name, quotaBytes] = decodeShape(answerShape, payload, 'pair answer')
  return { name, quotaBytes }
}
