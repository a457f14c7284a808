import t from 'tap'
import { CopiedMailboxes } from '../../../src/machine/mailbox/copied-mailboxes.ts'
import type { MailboxId, PeerId } from '../../../src/base/util/brand.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import type { Host } from '../../../src/base/wire/records.ts'
import { collect, openTestStore } from '../../support/store-content.ts'

const self = '12D3KooWself' as PeerId
const home: Host = { peerId: self, role: 'home', addresses: [] }
const friend: Host = { peerId: '12D3KooWfriend', role: 'replica', addresses: [] }

function mailbox(n: number): MailboxId {
  return new Uint8Array(32).fill(n) as MailboxId
}

/** Three hosted mailboxes: without a copy, with one, with a record that cannot be read. */
async function copied() {
  const store = await openTestStore({ dir: undefined })
  const table = store.table('copied-mailboxes')
  const read: string[] = []
  const index = new CopiedMailboxes({
    table,
    self,
    async *hosted() {
      for (const n of [1, 2, 3]) yield { mailbox: mailbox(n) }
    },
    async hostsOf(one) {
      read.push(toHex(one.subarray(0, 1)))
      if (one[0] === 3) throw new AbzuError('ABZU_STORE_DAMAGED', 'a damaged row')
      return one[0] === 2 ? [home, friend] : [home]
    },
  })
  const all = async () =>
    (await collect(index.all(store.epoch))).map((one) => toHex(one.subarray(0, 1)))
  return { store, table, index, read, all }
}

t.test('the records of all are read once for a store, and never again', async (t) => {
  const { store, read, all } = await copied()
  t.same((await all()).toSorted(), ['02', '03'])
  t.same(read, ['01', '02', '03'])
  read.length = 0
  t.same((await all()).toSorted(), ['02', '03'])
  t.same(read, [], 'not one')
  await store.close()
})

t.test('a store that has lost something is read anew', async (t) => {
  const { store, table, index, read, all } = await copied()
  await all()
  await table.delete(mailbox(2))
  read.length = 0
  const later = await collect(index.all(new Uint8Array(16).fill(9)))
  t.same(read.toSorted(), ['01', '02'])
  t.same(later.map(([first]) => String(first)).toSorted(), ['2', '3'])
  await store.close()
})

t.test('a row goes with a record that names another host, once', async (t) => {
  const { store, index } = await copied()
  t.same(index.rowsOf(mailbox(5), [home]), [])
  const rows = index.rowsOf(mailbox(5), [home, friend])
  t.equal(rows.length, 1)
  await store.commit(rows)
  t.same(index.rowsOf(mailbox(5), [home, friend]), [], 'it is there')
  await store.close()
})
