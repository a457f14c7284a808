import type { Answer } from '../client/routes.ts'

/** What a state promises, in words for the sender. */
export const stateMeaning: Readonly<Record<Answer<'send'>['state'], string>> = {
  queued: 'safe on this node, on its way',
  held: 'a friendly node holds it for the recipient',
  delivered: "the recipient's home has it",
  read: 'the recipient has read it',
  expired: 'it could not be delivered in time',
  refused: 'the recipient does not take it',
}
