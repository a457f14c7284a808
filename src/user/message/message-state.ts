/** Where a message is. Never more certain than it is: `delivered` rests on the signed receipt of the
 *  recipient's home, `held` on that of a replica. */
export type MessageState = 'queued' | 'held' | 'delivered' | 'read' | 'expired' | 'refused'
