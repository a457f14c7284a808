/**
 * Flow control: a writer may have so many bytes of data frames on their way as the reader has granted. A
 * reader grants again what it has dealt with. Both begin with `wireLimits.creditBytes`.
 * @see docs/protocol.md#frames
 * @module
 */

import { wireLimits } from '../../base/wire/limits.ts'

/** What a message costs beside its payload. It stands for the memory that even an empty message takes, so
 *  that a million of them do not fit where a megabyte does. */
const messageBytes = 128

/** The least that one credit frame grants. A reader that dribbles credit would cost its writer a frame a byte. */
export const grantBytesMin = wireLimits.creditBytes / 4

/** What a message of so many bytes takes of the credit. */
export function creditOf(payloadBytes: number): number {
  return payloadBytes + messageBytes
}
