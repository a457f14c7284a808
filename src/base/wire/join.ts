/** What an invitation to a household carries. @see docs/protocol.md#invitations @module */

import { wireLimits } from './limits.ts'
import { bytes, list, literal, oneOf, record, text, uint, type Shaped } from './shape.ts'

/** What an invitation proves to know. */
export const joinTokenBytes = 16

/** Who can be invited: nobody becomes an Admin by a link. */
export const invitedRoles = ['adult', 'child', 'guest'] as const
export type InvitedRole = (typeof invitedRoles)[number]

export const joinLinkShape = record({
  v: literal(1),
  /** The node of the household. */
  peerId: text(64),
  /** Where it is reached, each without its peer id. */
  addresses: list(text(wireLimits.addressBytesMax), wireLimits.addressesMax),
  /** For the reader: what the account becomes stands at the node. */
  role: oneOf(...invitedRoles),
  token: bytes(joinTokenBytes),
  /** Hours since 1970. */
  expiresAtHours: uint(2 ** 32 - 1),
})
export type JoinLink = Shaped<typeof joinLinkShape>
