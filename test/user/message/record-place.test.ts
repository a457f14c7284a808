/** A contact's record never goes back to an older one (invariants I8 and I26). */

import t from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { ContactRow } from '../../../src/user/message/contact-row.ts'
import { verifyRecord, withRecord } from '../../../src/user/message/reach.ts'
import { RecordSigner } from '../../support/record-signer.ts'

const platform = nodePlatform()
const nowMs = Date.UTC(2026, 0, 1)
const account = new RecordSigner(platform, { seed: 1, nowMs })
const token = new Uint8Array(32).fill(3)

const stranger: ContactRow = {
  v: 1,
  root: account.person.rootPk,
  name: 'somebody',
  standing: 'accepted',
  returnAddress: 'unsent',
  devices: [],
  verified: false,
  addedAt: nowMs,
}

function after(row: ContactRow, init: Parameters<RecordSigner['record']>[0]): ContactRow {
  const verified = verifyRecord(platform, account.person.rootPk, account.record(init))
  return withRecord(row, verified, { token, nowMs })
}

t.test('a newer record is taken, an older one changes nothing', async (t) => {
  const row = after(stranger, { seq: 5 })
  t.match(row.reach, { seq: 5, docSeq: 1 })
  t.equal(after(row, { seq: 4 }), row)
  t.match(after(row, { seq: 6 }).reach, { seq: 6, docSeq: 1 })
})

t.test('what a revoked device signs later is older', async (t) => {
  const row = after(after(stranger, { seq: 9, device: 7 }), { seq: 10, docSeq: 2 })
  t.match(row.reach, { seq: 10, docSeq: 2 })
  t.equal(after(row, { seq: 99, device: 7 }), row)
  const poisoned = after(stranger, { seq: 2 ** 50, device: 7 })
  t.match(after(poisoned, { seq: 11, docSeq: 2 }).reach, { seq: 11, docSeq: 2 }, 'and is replaced')
})

t.test('a contact from before documents were counted', async (t) => {
  const { docSeq: _, ...reach } = after(stranger, { seq: 5 }).reach ?? { docSeq: 1 }
  const row = { ...stranger, reach: reach as ContactRow['reach'] } as ContactRow
  t.equal(after(row, { seq: 4 }), row)
  t.match(after(row, { seq: 6 }).reach, { seq: 6, docSeq: 1 })
})
