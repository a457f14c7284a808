/** A letter whose recipient lives elsewhere by now: the outbox finds the newer record and follows it. */

import t, { type Test } from 'tap'
import { toHex } from '../../../src/base/util/bytes.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { decodeDeliverRequest, encodeDeliverAnswer } from '../../../src/base/wire/deliver.ts'
import { errorNumber } from '../../../src/base/wire/error-numbers.ts'
import { parsePlainSlot } from '../../../src/base/wire/plain-slot.ts'
import type { Host } from '../../../src/base/wire/records.ts'
import type { FrameStream } from '../../../src/machine/transport/frame-stream.ts'
import { handOff, platform, type HandOffInit } from '../../support/hand-off.ts'
import type { MailNode } from '../../support/mail-node.ts'
import { MailboxOwner } from '../../support/mailbox-owner.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** Two holders, and a directory that says what the test has put into it. */
async function moving(t: Test, init: HandOffInit = {}) {
  const directory = { record: undefined as Uint8Array | undefined, asked: 0 }
  const resolve = async (): Promise<Uint8Array> => {
    directory.asked++
    if (!directory.record) throw new AbzuError('ABZU_NOT_FOUND', 'nobody has a newer one')
    return directory.record
  }
  const all = await handOff(t, { ...init, origin: { resolve } })
  const { home, holders, owner } = all
  const [next, replica] = holders as [MailNode, MailNode]
  /** The account lives at `to` from now on, who has its record; others learn of it by the directory alone. */
  const move = async (to: MailNode = next, others: readonly Host[] = []): Promise<void> => {
    owner.hosts = [to.home, { peerId: home.peerId, role: 'former' }, ...others]
    const slot = owner.record()
    await to.mailboxes.mailbox(owner.mailbox).putSlots([slot])
    directory.record = parsePlainSlot(slot.body).content
  }
  return { ...all, directory, next, replica, move }
}

const answering = (as: 'silent' | 'not-hosted') => async (stream: FrameStream) => {
  for await (const payloads of stream.batches()) {
    for (const payload of payloads) {
      const { requestId } = decodeDeliverRequest(payload)
      const error = errorNumber('ABZU_NOT_HOSTED')
      const refused = { kind: 'refused' as const, requestId, error, retryAfterMs: 0 }
      if (as === 'not-hosted')
        stream.send(encodeDeliverAnswer({ ...refused, record: new Uint8Array() }))
    }
  }
}

t.test('held while the home was off, delivered where the account lives now', async (t) => {
  const { time, off, on, origin, home, next, replica, move, post, told, outcomes, mail } =
    await moving(t)
  off(home, next)
  const id = await post()
  await time.advance(4000)
  t.strictSame(await told(), [`${id} held`])
  t.match(await outcomes(), [{ by: replica.peerId }])
  await move()
  on(next)
  await time.advance(minuteMs)
  t.strictSame(await told(), [`${id} held`, `${id} delivered`])
  t.match((await outcomes())[1], { by: next.peerId })
  t.strictSame(await mail(next), [id])
  t.equal(origin.outbox.depth, 0)

  on(home)
  await time.advance(hourMs)
  t.strictSame(await mail(home), [], 'who was the home gets nothing more')
  t.equal((await told()).length, 2)
})

t.test('the way is durable: after a restart nobody has to be asked again', async (t) => {
  const { time, off, on, origin, home, next, directory, move, post, told, mail } = await moving(t)
  off(home)
  const id = await post()
  await time.advance(2000)
  await origin.stop()
  await move()
  off(next)
  await origin.start()
  await time.advance(minuteMs)
  t.ok(directory.asked > 0, 'asked after the restart, though no letter was posted since')
  await origin.stop()
  directory.record = undefined
  await origin.start()
  on(next)
  await time.advance(minuteMs)
  t.strictSame(await told(), [`${id} held`, `${id} delivered`])
  t.strictSame(await mail(next), [id])
})

t.test('a letter whose key the newer record does not list is sealed again', async (t) => {
  const { time, off, origin, home, owner, directory, post, outcomes } = await moving(t)
  off(home)
  await post()
  const { content: record } = parsePlainSlot(owner.record({ rotate: true, priorHours: 0 }).body)
  directory.record = record
  await time.advance(minuteMs)
  t.match((await outcomes()).at(-1), { state: 'stale-key', by: origin.peerId })
  t.equal(toHex((await outcomes()).at(-1)?.record ?? record.subarray(1)), toHex(record))
  t.equal(origin.outbox.depth, 0)
})

t.test('nothing but a newer record of the recipient moves a letter', async (t) => {
  const { time, off, origin, home, next, owner, directory, letter, told } = await moving(t)
  off(home)
  const current = parsePlainSlot(owner.record().body).content
  await origin.outbox.post(await letter())
  const stranger = new MailboxOwner({ platform, nowMs: time.nowMs(), home: origin.home })
  const others = Array.from({ length: 3 }, () => parsePlainSlot(stranger.record().body).content)
  owner.hosts = [{ ...next.home, role: 'replica' }]
  const homeless = parsePlainSlot(owner.record().body).content
  owner.hosts = [{ peerId: 'no peer', role: 'home' }]
  const nowhere = parsePlainSlot(owner.record().body).content
  owner.hosts = [next.home]
  const forged = parsePlainSlot(owner.record().body).content
  forged[100] = (forged[100] as number) ^ 1
  for (const record of [...others, homeless, nowhere, forged, current, new Uint8Array(9)]) {
    directory.record = record
    const { asked } = directory
    for (let n = 0; n < 200 && directory.asked === asked; n++) await time.advance(minuteMs)
    await time.advance(2 * minuteMs)
    t.ok(directory.asked > asked)
    t.equal((await told()).length, 1, 'held, as it was')
  }
  directory.record = undefined
  t.equal(origin.outbox.depth, 1)
})

t.test('what the home that was left says afterwards is no delivery', async (t) => {
  const { time, home, next, replica, off, move, post, told, outcomes, mail } = await moving(t)
  off(replica, next)
  const answers: (() => void)[] = []
  const own = home.mailboxes.take.bind(home.mailboxes)
  home.mailboxes.take = async (...batch) => {
    const taken = await own(...batch)
    await new Promise<void>((resolve) => answers.push(resolve))
    return taken
  }
  const id = await post()
  await time.advance(2000)
  t.equal(answers.length, 1, 'it has the letter and says nothing yet')
  await move()
  await time.advance(10_000)
  for (const answer of answers) answer()
  await time.advance(1000)
  t.match(await outcomes(), [{ state: 'held', by: home.peerId }])
  home.mailboxes.take = own
  t.strictSame(await told(), [`${id} held`])
  t.strictSame(await mail(next), [])
})

t.test(
  'a home that has dropped the mailbox ends nothing before a newer record was looked for',
  async (t) => {
    for (const hasMoved of [true, false]) {
      const { time, home, next, move, post, told, outcomes } = await moving(t)
      home.handler = answering('not-hosted')
      const id = await post()
      if (hasMoved) await move()
      await time.advance(3000)
      t.strictSame(await told(), [], 'it is not refused yet')
      await time.advance(2 * minuteMs)
      t.strictSame(await told(), [`${id} ${hasMoved ? 'delivered' : 'refused'}`])
      const by = hasMoved ? next.peerId : home.peerId
      t.match(await outcomes(), [{ by }])
    }
  },
)

t.test('a holder that the record names since then may hold it', async (t) => {
  const { time, off, home, holders, next, replica, move, post, told, outcomes, on } =
    await moving(t)
  off(home, ...holders)
  const id = await post()
  await time.advance(2000)
  t.strictSame(await told(), [])
  await move(home, [{ peerId: replica.peerId, role: 'replica' }])
  on(replica)
  await time.advance(minuteMs)
  t.match(await outcomes(), [{ state: 'held', by: replica.peerId }])
  on(home)
  await time.advance(minuteMs)
  t.strictSame(await told(), [`${id} held`, `${id} delivered`])
  t.equal(next.streams.size, 0)
})

t.test('the search goes on ever more seldom, and ends with the last letter', async (t) => {
  const { time, off, on, home, origin, directory, letter } = await moving(t)
  off(home)
  for (let n = 0; n < 3; n++) await origin.outbox.post(await letter())
  await time.advance(2 * minuteMs)
  t.ok(directory.asked >= 3 && directory.asked <= 6, `${directory.asked} in two minutes`)
  const early = directory.asked
  await time.advance(20 * hourMs)
  const late = directory.asked - early
  t.ok(late >= 20 && late <= 40, `${late} in twenty hours, for all letters together`)
  on(home)
  await time.advance(minuteMs)
  t.equal(origin.outbox.depth, 0)
  const done = directory.asked
  await time.advance(24 * hourMs)
  t.equal(directory.asked, done)
})
