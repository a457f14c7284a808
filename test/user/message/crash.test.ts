/**
 * I6: whatever write of either node fails, before or after it took effect, nothing that was promised is
 * lost and nothing is shown twice.
 */

import t, { type Test } from 'tap'
import { collect, inboxOf, World, type Household } from '../../support/household.ts'

type Name = 'alice' | 'bob'

interface Fault {
  readonly of: Name
  readonly write: number
  readonly when: 'before' | 'after'
}

const attemptsMax = 5

/** Two people who talk while one disk fails. Each attempt to send has a text of its own, so that what the
 *  caller was told can be compared with what the other one sees. */
class Talk {
  readonly #world = new World()
  readonly #promised = new Map<string, { by: Name; msgId: string }>()
  readonly #attempted = new Map<string, Name>()
  readonly #seen: Record<Name, Set<string>> = { alice: new Set(), bob: new Set() }
  #people!: Record<Name, Household>
  #restarts = 0

  async begin(fault: Fault): Promise<void> {
    const [alice, bob] = [await this.#world.household('alice'), await this.#world.household('bob')]
    this.#people = { alice, bob }
    await alice.member.contacts.add({ link: await bob.member.contacts.link(), as: 'bob' })
    await this.#world.settle()
    this.#people[fault.of].node.disk.failAt(fault.write, fault.when)
  }

  async run(): Promise<void> {
    await this.#send('alice', 'bob')
    await this.#send('alice', 'bob')
    await this.#look('bob')
    await this.#try('bob', async ({ member }) => {
      const [request] = member.contacts.list()
      if (request?.request) await member.contacts.add({ link: request.id, as: 'alice' })
    })
    await this.#send('bob', 'alice')
    await this.#look('alice')
    await Promise.all([this.#send('alice', 'bob'), this.#send('bob', 'alice')])
    await this.#look('bob')
    await this.#sendWhileAway('alice', 'bob')
    await this.#look('bob')
  }

  /** After the faults have stopped: everything that was promised is there once. */
  async judge(t: Test, title: string): Promise<void> {
    for (const name of ['alice', 'bob'] as const) await this.#restart(name)
    await this.#world.time.advance(600_000)
    await this.#world.settle()
    for (const name of ['alice', 'bob'] as const) {
      await this.#look(name)
      const inbox = await inboxOf(this.#people[name])
      const texts = inbox.map(({ text }) => text)
      if (new Set(texts).size !== texts.length)
        t.fail(`${title}: ${name} sees twice: ${texts.join()}`)
      if (new Set(inbox.map(({ msgId }) => msgId)).size !== inbox.length)
        t.fail(`${title}: an id twice`)
      for (const text of texts) {
        if (this.#attempted.get(text) === name) t.fail(`${title}: ${text} came back`)
        if (!this.#attempted.has(text)) t.fail(`${title}: ${text} was never sent`)
      }
      for (const text of this.#seen[name]) {
        if (!texts.includes(text)) t.fail(`${title}: ${text} is not shown any more`)
      }
      for (const [text, { by, msgId }] of this.#promised) {
        if (by !== name && !texts.includes(text)) t.fail(`${title}: ${name} never saw ${text}`)
        if (by !== name) continue
        const { state } = await this.#people[name].member.messages.show(msgId)
        if (state !== 'delivered') t.fail(`${title}: ${text} is ${state}`)
      }
    }
    await this.#judgeHistory(t, title, { by: 'alice', to: 'bob' })
    await this.#judgeHistory(t, title, { by: 'bob', to: 'alice' })
  }

  /** What one has in the history and what the other one sees is the same, promised or not. */
  async #judgeHistory(t: Test, title: string, { by, to }: { by: Name; to: Name }): Promise<void> {
    const { messages } = this.#people[by].member
    const sent = (await collect(messages.conversation(to))).filter(
      ({ direction }) => direction === 'out',
    )
    const received = await inboxOf(this.#people[to])
    const undelivered = sent.filter(({ state }) => state !== 'delivered')
    if (undelivered.length > 0) t.fail(`${title}: ${by} has ${undelivered.length} undelivered`)
    const known = new Set(sent.map(({ msgId }) => msgId))
    for (const { msgId, text } of received) {
      if (!known.delete(msgId)) t.fail(`${title}: ${by} does not know of ${text}`)
    }
    if (known.size > 0) t.fail(`${title}: ${to} lacks ${known.size} messages`)
  }

  get hasFailed(): boolean {
    return this.#restarts > 0 || Object.values(this.#people).some(({ node }) => node.disk.hasFailed)
  }

  get promised(): number {
    return this.#promised.size
  }

  async #send(by: Name, to: Name): Promise<void> {
    await this.#try(by, async ({ member }) => {
      const text = `${by} ${this.#attempted.size}`
      this.#attempted.set(text, by)
      const { msgId } = await member.messages.send({ to, text })
      this.#promised.set(text, { by, msgId })
    })
    await this.#world.settle()
  }

  /** Long enough for the sender to note that the message is in its outbox. */
  async #sendWhileAway(by: Name, to: Name): Promise<void> {
    this.#people[to].node.isOnline = false
    await this.#send(by, to)
    await this.#world.time.advance(3000)
    this.#people[to].node.isOnline = true
    await this.#world.settle()
  }

  async #look(name: Name): Promise<void> {
    await this.#try(name, async (household) => {
      for (const { text } of await inboxOf(household)) this.#seen[name].add(text)
    })
  }

  async #try(name: Name, work: (household: Household) => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (this.#people[name].node.disk.hasFailed) await this.#restart(name)
      try {
        await work(this.#people[name])
        return
      } catch (error) {
        if (!this.#people[name].node.disk.hasFailed || attempt >= attemptsMax) throw error
      }
    }
  }

  async #restart(name: Name): Promise<void> {
    await this.#world.settle()
    this.#people[name] = await this.#world.restart(this.#people[name])
    this.#restarts++
    await this.#world.settle()
  }
}

for (const name of ['alice', 'bob'] as const) {
  for (const when of ['before', 'after'] as const) {
    t.test(`a disk of ${name} that fails ${when} its nth write`, async (t) => {
      let fired = 0
      for (let write = 1; ; write++) {
        const talk = new Talk()
        await talk.begin({ of: name, write, when })
        await talk.run()
        const { hasFailed } = talk
        await talk.judge(t, `write ${write}`)
        if (talk.promised < 5)
          t.fail(`write ${write}: only ${talk.promised} messages were promised`)
        if (!hasFailed) break
        fired++
      }
      t.ok(fired >= 18, `failed at each of ${fired} writes`)
    })
  }
}
