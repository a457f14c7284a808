/** Nodes that come and go, and a sender and a reader that want to know nothing of it: properties of many seeded runs. */

import fc from 'fast-check'
import t, { type Test } from 'tap'
import { toHex } from '../../../src/base/util/bytes.ts'
import type { FrameStream } from '../../../src/machine/transport/frame-stream.ts'
import { handOff, sender } from '../../support/hand-off.ts'
import type { MailNode } from '../../support/mail-node.ts'
import { holdsInTime } from '../../support/property.ts'

const steps = ['post', 'off', 'on', 'silent', 'restart', 'sync', 'read', 'settle'] as const
type Step = { do: (typeof steps)[number]; node: number; ms: number }

const script = fc.array(
  fc.record<Step>({
    do: fc.constantFrom(...steps, 'post', 'post'),
    node: fc.nat({ max: 2 }),
    ms: fc.constantFrom(0, 1, 700, 1500, 3200, 12_000),
  }),
  { minLength: 10, maxLength: 40 },
)

const seen = { held: 0, delivered: 0, synced: 0, letters: 0 }

async function silent(stream: FrameStream): Promise<void> {
  for await (const _ of stream.batches());
}

/** One run; returns what is wrong with it. */
async function run(t: Pick<Test, 'teardown'>, plan: readonly Step[]): Promise<string[]> {
  const wrong: string[] = []
  const all = await handOff(t)
  const { time, origin, home, holders, owner, off, on } = all
  const hosts = [home, ...holders]
  const posted: string[] = []
  /** How often the reader saw an item, and the sender an outcome. */
  const read = new Map<string, number>()
  const told = new Map<string, number>()
  const stored = new Map(hosts.map(({ peerId }) => [peerId as string, new Set<string>()]))

  const look = async (): Promise<void> => {
    for (const node of hosts) {
      for (const id of await all.mail(node)) stored.get(node.peerId)?.add(id)
    }
    for (const { id, state, by } of await all.outcomes()) {
      if (!stored.get(by)?.has(toHex(id))) wrong.push(`${state} by one who has it not`)
      if (state === 'delivered' && by !== home.peerId) wrong.push('delivered by a holder')
      if (state !== 'delivered' && state !== 'held') wrong.push(state)
    }
  }
  const settle = async (): Promise<void> => {
    const outcomes = await all.outcomes()
    for (const { id, state } of outcomes) {
      const name = `${toHex(id)} ${state}`
      told.set(name, (told.get(name) ?? 0) + 1)
      if (state === 'held' || state === 'delivered') seen[state]++
    }
    await origin.outbox.settle(sender, outcomes)
  }
  /** What an engine of copies will do: a holder brings the home what it took. */
  const sync = async (holder: MailNode): Promise<void> => {
    const { items } = await holder.mailboxes.mailbox(owner.mailbox).mail({ limit: 1000 })
    for (const { id, envelope } of items) {
      const letter = letters.get(toHex(id))
      if (!letter) continue
      await home.mailboxes.take(
        [{ requestId: 0, mailbox: letter.to, ...letter, envelope }],
        holder.peerId,
      )
      seen.synced++
    }
  }
  const readMail = async (): Promise<void> => {
    const mailbox = home.mailboxes.mailbox(owner.mailbox)
    const { items } = await mailbox.mail({ limit: 1000 })
    for (const { id } of items) read.set(toHex(id), (read.get(toHex(id)) ?? 0) + 1)
    const part = acknowledgements++
    await mailbox.putSlots([
      owner.acknowledge(
        items.map(({ id }) => id),
        part,
      ),
    ])
  }
  const letters = new Map<string, Awaited<ReturnType<typeof all.letter>>>()
  let acknowledgements = 0

  const act = async (step: Step): Promise<void> => {
    const node = hosts[step.node] as MailNode
    switch (step.do) {
      case 'post': {
        const letter = await all.letter()
        const id = toHex(await origin.outbox.post(letter))
        letters.set(id, letter)
        posted.push(id)
        return
      }
      case 'off':
        return off(node)
      case 'on':
        node.handler = undefined
        off(node)
        return on(node)
      case 'silent':
        node.handler = silent
        off(node)
        return on(node)
      case 'restart':
        await origin.stop()
        await origin.start()
        return
      case 'sync':
        return sync(holders[step.node % 2] as MailNode)
      case 'read':
        return readMail()
      case 'settle':
        return settle()
    }
  }
  for (const step of plan) {
    await act(step)
    await time.advance(step.ms)
    await look()
  }
  for (const node of hosts) {
    node.handler = undefined
    off(node)
    on(node)
  }
  for (let n = 0; n < 40 && origin.outbox.depth > 0; n++) {
    await time.advance(1000)
    await look()
  }
  await settle()
  for (const holder of holders) await sync(holder)
  await readMail()
  await readMail()

  seen.letters += posted.length
  if (origin.outbox.depth > 0) wrong.push('a letter stays for ever')
  for (const id of posted) {
    if (read.get(id) !== 1) wrong.push(`read ${read.get(id) ?? 0} times`)
    if (told.get(`${id} delivered`) !== 1) wrong.push('not told once that it is delivered')
    if ((told.get(`${id} held`) ?? 0) > 1) wrong.push('told twice that it is held')
  }
  if (read.size > posted.length) wrong.push('mail that nobody wrote')
  return wrong
}

t.test('I3, I6: held and delivered are true, nothing is lost, nothing is read twice', async (t) => {
  const property = fc.asyncProperty(script, async (plan) => {
    const ends: (() => unknown)[] = []
    try {
      const wrong = await run({ teardown: (end: () => unknown) => void ends.push(end) }, plan)
      if (wrong.length > 0) throw new Error([...new Set(wrong)].join('; '))
    } finally {
      for (const end of ends) await end()
    }
  })
  await holdsInTime(t, property, { seed: 20_260_101, runs: 60 })
  t.comment(JSON.stringify(seen))
  t.ok(seen.held > 50 && seen.delivered === seen.letters && seen.synced > 20, 'all of it happened')
})
