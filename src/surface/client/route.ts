/** What the table of routes says of each. @module */

import type { z } from 'zod'
import type { Operation } from '../../user/household/decisions.ts'

/** Who calls: whoever can open the socket, with a session or without; or a session's account. */
export type Caller = 'anyone' | 'member'

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: `/v1/${string}`
  readonly caller: Caller
  /** What the table of decisions is asked. */
  readonly operation: Operation
  /** On what: the node where left out; the caller's own account; the account that `params.account` names; one that is to be
   *  made with the role `body.role`. */
  readonly on?: 'self' | 'account' | 'role'
  readonly summary: string
  readonly params?: z.ZodType
  readonly body?: z.ZodType
  /** Of the whole answer; of one line where `lines` is set. */
  readonly answer: z.ZodType
  /** The answer is newline-delimited JSON of unknown length. */
  readonly lines?: true
  /** The answer is bytes of unknown length, cut off where something fails. */
  readonly bytes?: true
  /** The body is bytes. */
  readonly piece?: true
  /** The answer is a text of this media type. */
  readonly text?: string
  /** How long an answer may take; 30 s where nothing is said. */
  readonly timeoutMs?: number
}
