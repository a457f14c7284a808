import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openStore } from '../../../src/base/store/store.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { defaultMailboxLimits } from '../../../src/machine/mailbox/mailbox-limits.ts'
import { MailboxRemoval } from '../../../src/machine/mailbox/mailbox-removal.ts'
import { Mailboxes } from '../../../src/machine/mailbox/mailboxes.ts'
import { MailboxOwner, testHome } from '../../support/mailbox-owner.ts'
import { ManualTime } from '../../support/manual-time.ts'

const platform = nodePlatform()
const peer = '12D3KooWpeer' as PeerId

/** Two mailboxes, with a letter each that came through a door which counts its uses. */
async function setUp(t: Test) {
  const time = new ManualTime()
  const parts = { platform, clock: time, log: silentLog }
  const store = await openStore({ ...parts, dir: undefined, scheduler: time })
  t.teardown(() => store.close())
  const open = () =>
    new Mailboxes({ ...parts, store, limits: defaultMailboxLimits, self: testHome })
  const mailboxes = open()
  const host = async () => {
    const owner = new MailboxOwner({ platform, nowMs: time.nowMs() })
    const mailbox = await mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
    const door = owner.door({ uses: 5 })
    await mailbox.putSlots([door.slot])
    const letter = await owner.letter(door)
    await mailboxes.take([letter], peer)
    return { owner, mailbox, door, id: mailbox.mailbox }
  }
  const rows = async (table: 'mailboxes' | 'door-uses') => {
    const all: Uint8Array[] = []
    for await (const { key } of store.table(table).range({ limit: 100 })) all.push(key)
    return all.length
  }
  return { store, mailboxes, open, rows, going: await host(), staying: await host() }
}

t.test('all of it goes, and nothing of another one', async (t) => {
  const { store, mailboxes, rows, going, staying } = await setUp(t)
  t.equal(await rows('door-uses'), 2)
  const before = store.items.digest(staying.id).count
  await mailboxes.drop(going.id)
  t.equal(store.items.digest(going.id).count, 0)
  t.same(
    store.items.usage(going.id).map(({ items, bytes }) => items + bytes),
    [0, 0, 0, 0],
  )
  t.equal(store.items.digest(staying.id).count, before)
  t.equal(await rows('door-uses'), 1)
  t.equal(await rows('mailboxes'), 1)
  t.throws(() => mailboxes.mailbox(going.id), { code: 'ABZU_NOT_HOSTED' })
  const refused = await mailboxes.take([await going.owner.letter(going.door)], peer)
  t.match(refused, [{ error: 'ABZU_NOT_HOSTED' }])
  const taken = await mailboxes.take([await staying.owner.letter(staying.door)], peer)
  t.match(taken, [{ kind: 'durable' }])
  await mailboxes.drop(going.id)
  t.equal(await rows('mailboxes'), 1, 'once more changes nothing')
  const { owner } = going
  const again = await mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
  t.same((await again.mail({ limit: 10 })).items, [], 'it may come back, empty')
})

t.test('what comes while it goes is refused or goes as well', async (t) => {
  const { store, mailboxes, going } = await setUp(t)
  const letters = await Promise.all(
    Array.from({ length: 4 }, async () => going.owner.letter(going.door)),
  )
  const answers = letters.map(async (letter) => mailboxes.take([letter], peer))
  const writing = going.mailbox.putSlots([going.owner.door().slot]).catch(() => undefined)
  await Promise.all([mailboxes.drop(going.id), ...answers, writing])
  t.equal(store.items.digest(going.id).count, 0)
  await t.rejects(going.mailbox.putSlots([going.owner.door().slot]), { code: 'ABZU_NOT_HOSTED' })
})

t.test('cut off midway it is found, and goes with the next call', async (t) => {
  const { store, open, rows, going } = await setUp(t)
  const cut = new Error('cut off')
  const removal = new MailboxRemoval({
    items: Object.assign(Object.create(store.items) as typeof store.items, {
      drop: async () => {
        throw cut
      },
    }),
    hostedRows: store.table('mailboxes'),
    copiedRows: store.table('copied-mailboxes'),
    doorUses: store.table('door-uses'),
    forget: () => undefined,
  })
  await t.rejects(removal.run(going.id), cut)
  t.notOk(removal.isGoing(going.id))
  t.equal(await rows('mailboxes'), 2, 'it is known still')
  const again = open()
  await again.drop(going.id)
  t.equal(store.items.digest(going.id).count, 0)
  t.equal(await rows('mailboxes'), 1)
})
