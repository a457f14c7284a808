import type { Answer } from '../client/routes.ts'

type State = Answer<'send'>['state']

/** Who keeps a message for its recipient. */
export type Holding = NonNullable<Answer<'send'>['held']>

/** What a state promises, in words for the sender. */
const stateMeaning: Readonly<Record<State, string>> = {
  queued: 'safe on this node, on its way',
  held: 'a friendly node holds it for the recipient',
  delivered: "the recipient's home has it",
  read: 'the recipient has read it',
  expired: 'it could not be delivered in time',
  refused: 'the recipient does not take it',
}

/** One line on where a message is. Of one that is held it says by whom and until when, where that is known. */
export function stateLine(state: State, held?: Holding): string {
  return state === 'held' && held ? heldLine(held) : `${state}: ${stateMeaning[state]}`
}

/** `held by <node> until <date>`, the date in UTC. */
export function heldLine({ by, name, until }: Holding): string {
  return `held by ${name ?? shortPeerId(by)} until ${until.slice(0, 10)}`
}

/** Enough of a peer id to tell the nodes of one's friends apart. */
function shortPeerId(peerId: string): string {
  return peerId.length > 24 ? `${peerId.slice(0, 8)}...${peerId.slice(-8)}` : peerId
}
