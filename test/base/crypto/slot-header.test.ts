import t from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import {
  plainSlotKey,
  sealedSlotKey,
  signSlot,
  slotIdOf,
  verifySlot,
} from '../../../src/base/crypto/slot-header.ts'
import { concatBytes, toHex } from '../../../src/base/util/bytes.ts'
import { parseSlotHeader } from '../../../src/base/wire/slot.ts'
import { testPerson } from '../../support/persons.ts'
import { testSlotHeader } from '../../support/signed-records.ts'

const platform = nodePlatform()
const [alice, eve] = [testPerson(platform, 1), testPerson(platform, 2)]
const header = testSlotHeader(alice)
const signed = signSlot(platform, alice.deviceSeed, header)

t.test('signed by the device that it names', (t) => {
  t.equal(signed.length, 190)
  t.ok(verifySlot(platform, signed))
  t.same(parseSlotHeader(signed).header, header)
  t.notOk(verifySlot(platform, signSlot(platform, eve.deviceSeed, header)))
  t.same(slotIdOf(platform, signed), platform.sha256(signed))
  t.end()
})

t.test('I23: a bit flipped anywhere, a cut or an extension', (t) => {
  for (let bit = 0; bit < signed.length * 8; bit++) {
    const changed = Uint8Array.from(signed)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    if (verifySlot(platform, changed)) t.fail(`bit ${bit}`)
  }
  for (let length = 0; length < signed.length; length++) {
    if (verifySlot(platform, signed.subarray(0, length))) t.fail(`${length} bytes`)
  }
  t.notOk(verifySlot(platform, concatBytes(signed, new Uint8Array(1))))
  t.end()
})

t.test('the key of a slot', (t) => {
  const keys = [
    plainSlotKey(platform, alice.mailbox, 'identity'),
    plainSlotKey(platform, alice.mailbox, 'record'),
    plainSlotKey(platform, eve.mailbox, 'identity'),
    sealedSlotKey(platform, alice.mailbox, 'identity'),
    sealedSlotKey(platform, eve.mailbox, 'identity'),
    sealedSlotKey(platform, alice.mailbox, 'record'),
  ]
  for (const key of keys) t.equal(key.length, 20)
  t.equal(new Set(keys.map(toHex)).size, keys.length, 'differs by mailbox or key, name and class')
  t.same(keys[0], plainSlotKey(platform, alice.mailbox, 'identity'))
  t.end()
})
