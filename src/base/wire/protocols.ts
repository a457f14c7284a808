/** Every protocol that a node speaks: its id and what one peer may do with it. @module */

export interface Protocol {
  /** libp2p protocol id. */
  readonly id: string
  /** Streams that one connection may hold open, each way. */
  readonly streamsMax: number
}

/** Sealed mail to a mailbox's host. @see docs/protocol.md#delivery */
export const deliverProtocol: Protocol = { id: '/abzu/deliver/1.0.0', streamsMax: 8 }

/** Which nodes are near a key: libp2p's kad-dht in a mesh of its own, for routing only. @see docs/protocol.md#directory */
export const routingProtocol: Protocol = { id: '/abzu/kad/1.0.0', streamsMax: 16 }

/** A mailbox's signed record, asked for or offered. @see docs/protocol.md#directory */
export const recordProtocol: Protocol = { id: '/abzu/record/1.0.0', streamsMax: 16 }

/** A node's time. @see docs/protocol.md#time */
export const timeProtocol: Protocol = { id: '/abzu/time/1.0.0', streamsMax: 2 }

/** Copies of mailboxes, brought up to what another node has. @see docs/protocol.md#sync */
export const syncProtocol: Protocol = { id: '/abzu/sync/1.0.0', streamsMax: 4 }

/** Two nodes that come to trust each other, by a code that one owner gave to the other. @see docs/protocol.md#pairing */
export const pairProtocol: Protocol = { id: '/abzu/pair/1.0.0', streamsMax: 2 }

/** An account's home tells the next one that it is to be it. @see docs/protocol.md#move */
export const moveProtocol: Protocol = { id: '/abzu/move/1.0.0', streamsMax: 2 }
