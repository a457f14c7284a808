/** I26: how a contact is reached follows its newest record, and nothing leads back. */

import fc from 'fast-check'
import t from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { signMailboxRecord } from '../../../src/base/crypto/mailbox-record.ts'
import { equalBytes, toHex } from '../../../src/base/util/bytes.ts'
import type { ContactRow } from '../../../src/user/message/contact-row.ts'
import { verifyRecord, withRecord } from '../../../src/user/message/reach.ts'
import { testPerson } from '../../support/persons.ts'
import { holds } from '../../support/property.ts'
import { testRecord } from '../../support/signed-records.ts'

const platform = nodePlatform()
const bob = testPerson(platform, 2)
const nowMs = Date.UTC(2026, 0, 1)

const stranger: ContactRow = {
  v: 1,
  root: bob.rootPk,
  name: 'bob',
  standing: 'accepted',
  returnAddress: 'unsent',
  devices: [],
  verified: false,
  addedAt: nowMs,
}

/** A record at `seq`, told from others of the same place by its prekey. */
function recordAt(seq: number, variant = 0) {
  const prekey = bob.prekey.slice()
  prekey.set([seq, variant])
  const signed = signMailboxRecord(platform, bob.deviceSeed, testRecord(bob, { seq, prekey }))
  return verifyRecord(platform, bob.rootPk, signed)
}
const records = Array.from({ length: 6 }, (_, seq) => [recordAt(seq), recordAt(seq, 1)]).flat()

t.test('whatever records come, in whatever order, the first of the newest place counts', (t) => {
  const choices = fc.array(fc.integer({ min: 0, max: records.length - 1 }), { minLength: 1 })
  const property = fc.property(choices, (order) => {
    let row = stranger
    let expected = records[order[0] as number] as (typeof records)[0]
    for (const choice of order) {
      const verified = records[choice] as (typeof records)[0]
      const before = row
      row = withRecord(row, verified, { nowMs })
      if (verified.record.seq > expected.record.seq) expected = verified
      else if (before.reach && row !== before) return false
    }
    return (
      row.reach?.seq === expected.record.seq && equalBytes(row.reach.prekey, expected.record.prekey)
    )
  })
  holds(t, property, { seed: 26, runs: 500 })
  t.end()
})

t.test('a token comes with a record that is not older, and goes with none', (t) => {
  const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const at3 = withRecord(stranger, recordAt(3), { token: first, nowMs })
  t.same(at3.reach?.token, first)
  t.equal(withRecord(at3, recordAt(2), { token: second, nowMs }), at3)
  t.equal(withRecord(at3, recordAt(3), { token: first, nowMs }), at3, 'no news')
  const moved = withRecord(at3, recordAt(3, 1), { token: second, nowMs })
  t.same(moved.reach?.token, second)
  t.same(moved.reach?.prekey, at3.reach?.prekey, 'the first record of that place stays')
  t.same(withRecord(at3, recordAt(4), { nowMs }).reach?.token, first)
  t.notOk('token' in (withRecord(stranger, recordAt(1), { nowMs }).reach ?? {}))
  t.end()
})

t.test('mail is never sealed by a lesser suite than before', (t) => {
  const best = withRecord(stranger, { ...recordAt(1), suite: 0x20 }, { nowMs })
  t.equal(best.reach?.suite, 0x20)
  for (const suite of [0x01, 0x02, 0x11, 0x77]) {
    t.equal(
      withRecord(best, { ...recordAt(5), suite }, { nowMs }),
      best,
      toHex(Uint8Array.of(suite)),
    )
  }
  t.equal(withRecord(best, { ...recordAt(5), suite: 0x20 }, { nowMs }).reach?.seq, 5)
  const first = withRecord(stranger, recordAt(1), { nowMs })
  t.equal(first.reach?.suite, 0x01)
  t.equal(withRecord(first, { ...recordAt(2), suite: 0x20 }, { nowMs }).reach?.suite, 0x20)
  for (const suites of [[], [0x02], [0x20, 0x11]]) {
    const signed = signMailboxRecord(platform, bob.deviceSeed, testRecord(bob, { suites }))
    t.throws(() => verifyRecord(platform, bob.rootPk, signed), { code: 'ABZU_MALFORMED' })
  }
  t.end()
})
