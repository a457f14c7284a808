/** Every limit of the wire in one place; `docs/limits.md` says why. Units come last in the names. @module */

export const wireLimits = {
  /** Payload of one frame. */
  frameBytesMax: 512 * 1024,
  /** Nesting of a msgpack value. */
  depthMax: 16,
  /** Values inside one msgpack value. A key counts two more, a byte string one more, as they do in memory. */
  itemsMax: 4096,
  /** Bytes a peer may have sent on one stream beyond what its reader has granted. */
  creditBytes: 1024 * 1024,
  /** A whole envelope. One frame holds it with room for its request. */
  envelopeBytesMax: 256 * 1024,
  /** A signed mailbox record. */
  recordBytesMax: 4096,
  /** The body of a slot. */
  slotBodyBytesMax: 256 * 1024,
  /** A chunk. */
  chunkBytesMax: 256 * 1024,
  /** Longest life of mail. */
  mailHoursMax: 30 * 24,
  /** Work that a sender is ready to do for one letter to a stranger, in bits of a stamp. */
  stampBitsMax: 20,
  /** A multiaddr as text. */
  addressBytesMax: 256,
  /** Addresses listed for one host. */
  addressesMax: 8,
  /** Hosts listed in a record. */
  hostsMax: 8,
  /** The text of one message, UTF-8. */
  textBytesMax: 64 * 1024,
  /** A name that a person chose, UTF-8. */
  nameBytesMax: 128,
  /** Why somebody looks at a Child's messages, UTF-8. */
  reasonBytesMax: 512,
  /** What one node keeps for another. */
  quotaBytesMax: 1024 ** 5,
} as const
