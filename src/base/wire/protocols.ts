/** Every protocol that a node speaks: its id and what one peer may do with it. @module */

export interface Protocol {
  /** libp2p protocol id. */
  readonly id: string
  /** Streams that one connection may hold open, each way. */
  readonly streamsMax: number
}

/** Sealed mail to a mailbox's host. @see docs/protocol.md#delivery */
export const deliverProtocol: Protocol = { id: '/abzu/deliver/1.0.0', streamsMax: 8 }

/** A mailbox's signed record from one of its hosts. @see docs/protocol.md#mailbox-record */
export const recordProtocol: Protocol = { id: '/abzu/record/1.0.0', streamsMax: 16 }
