/** What two lines of defence keep from ever happening in a run is shown to the checkers here. */

import t from 'tap'
import type { AccountId } from '../../src/base/util/brand.ts'
import type { ConversationMessage, InboxMessage } from '../../src/user/message/messages.ts'
import { checkers } from './checkers.ts'
import type { PersonEvidence } from './evidence.ts'
import type { Letter, Person } from './people.ts'
import { soundWiring } from './wiring.ts'
import { World } from './world.ts'

/** One letter from one to another, as it looks in the end. */
interface End {
  readonly copies: number
  readonly state: ConversationMessage['state']
  readonly text?: string
  readonly letter?: Partial<Letter>
}

function problemsOf({ copies, state, text = 'hello', letter: changes }: End): string[] {
  const init = {
    seed: '1',
    household: '1',
    nodes: 2,
    people: 2,
    isPaired: false,
    wiring: soundWiring,
  }
  const world = new World(init)
  const [from, to] = world.people as [Person, Person]
  for (const person of world.people) person.id = person.name as AccountId
  const letter = { text: 'hello', from, to, atMs: 1, skewMs: 0, isPromised: true }
  world.letters.push({ ...letter, ...changes })
  const message = { msgId: '', sentAt: '', text }
  const received: InboxMessage = {
    ...message,
    from: from.id,
    name: from.name,
    verified: false,
    request: false,
  }
  const sent: ConversationMessage = { ...message, text: 'hello', state, direction: 'out' }
  const people = new Map<Person, PersonEvidence>([
    [from, { inbox: [], sent: [sent], mailLeft: 0 }],
    [to, { inbox: Array.from({ length: copies }, () => received), sent: [], mailLeft: 0 }],
  ])
  const nodes = new Map(world.nodes.map((node) => [node, { isSound: true }]))
  return checkers.flatMap((check) => check(world, { people, nodes }))
}

t.test('all is well', async (t) => {
  t.strictSame(problemsOf({ copies: 1, state: 'delivered' }), [])
})

t.test('each invariant is seen to break', async (t) => {
  const ends: [RegExp, End][] = [
    [/^I3: /, { copies: 0, state: 'delivered' }],
    [/^I3: /, { copies: 0, state: 'refused', letter: { deliveredAtMs: 2 } }],
    [/^I6: .* 2 times/, { copies: 2, state: 'delivered' }],
    [/^I7: /, { copies: 1, state: 'delivered', text: 'something else' }],
    [/^I14: .* expired/, { copies: 0, state: 'expired' }],
    [/^I15: .* waits/, { copies: 0, state: 'queued' }],
    [/^I15: .* refused/, { copies: 0, state: 'refused' }],
  ]
  for (const [problem, end] of ends) {
    const found = problemsOf(end)
    t.ok(
      found.some((one) => problem.test(one)),
      `${String(problem)}: ${found.join('; ')}`,
    )
  }
})

t.test('a clock that was wrong, and a disk that has lost something, excuse much', async (t) => {
  const skewed = { letter: { skewMs: 10 * 365 * 86_400_000 } }
  t.strictSame(problemsOf({ copies: 0, state: 'expired', ...skewed }), [])
  t.match(problemsOf({ copies: 2, state: 'delivered', ...skewed }), [/^I6: /])
})
