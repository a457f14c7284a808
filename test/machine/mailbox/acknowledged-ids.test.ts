import t from 'tap'
import { AcknowledgedIds } from '../../../src/machine/mailbox/acknowledged-ids.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { mailboxNamed, openTestStore, storePlatform } from '../../support/store-content.ts'

const mailbox = mailboxNamed('m')
const ids = Array.from({ length: 300 }, (_, n) => storePlatform.sha256(Uint8Array.of(n, n >> 8)))

t.test('what was acknowledged is known, before and after it is read again', async (t) => {
  const store = await openTestStore({ dir: undefined })
  t.teardown(async () => store.close())
  const table = store.table('acknowledged')
  const first = new AcknowledgedIds({ table, log: silentLog })
  await store.commit(ids.slice(0, 200).map((id, n) => first.note(mailbox, id, n)))
  const again = new AcknowledgedIds({ table, log: silentLog })
  const expectKnown = (acknowledged: AcknowledgedIds, what: string) => {
    const known = ids.map((id) => acknowledged.has(mailbox, id))
    t.strictSame(
      known,
      ids.map((_, n) => n < 200),
      what,
    )
    t.equal(acknowledged.has(mailboxNamed('other'), ids[0] as Uint8Array), false)
  }
  expectKnown(first, 'at once')
  expectKnown(again, 'while the rows are being read')
  await new Promise((resolve) => setImmediate(resolve))
  expectKnown(again, 'and then')
})

t.test('what is old is forgotten, a part at a time', async (t) => {
  const store = await openTestStore({ dir: undefined })
  t.teardown(async () => store.close())
  const table = store.table('acknowledged')
  const acknowledged = new AcknowledgedIds({ table, log: silentLog })
  const rows = ids.map((id, n) => acknowledged.note(mailbox, id, n))
  t.ok(
    ids.every((id) => acknowledged.has(mailbox, id)),
    'known before it is durable',
  )
  await store.commit(rows)
  acknowledged.settled(rows)
  let forgotten = 0
  for (let turn = 0; turn < 10; turn++) forgotten += await acknowledged.forget(100, 64)
  t.equal(forgotten, 100)
  t.strictSame(
    ids.map((id) => acknowledged.has(mailbox, id)),
    ids.map((_, n) => n >= 100),
  )
})
