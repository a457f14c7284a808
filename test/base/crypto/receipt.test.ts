import t from 'tap'
import { labels } from '../../../src/base/crypto/labels.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openReceipt, signReceipt } from '../../../src/base/crypto/receipt.ts'
import { signStatement } from '../../../src/base/crypto/signature.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import { testReceipt } from '../../support/signed-records.ts'

const platform = nodePlatform()
const machineSeed = new Uint8Array(32).fill(1)
const machinePk = platform.ed25519.publicKey(machineSeed)
const signed = signReceipt((bytes) => platform.ed25519.sign(machineSeed, bytes), testReceipt)

t.test('the machine signs', (t) => {
  t.same(openReceipt(platform, machinePk, signed), testReceipt)
  const other = platform.ed25519.publicKey(new Uint8Array(32).fill(2))
  t.throws(() => openReceipt(platform, other, signed), { code: 'ABZU_SIGNATURE_INVALID' })
  t.end()
})

t.test('a receipt for as many items as a stream has in flight', (t) => {
  const largest = { ...testReceipt, ids: new Uint8Array(32 * 1024).fill(3) }
  const signed = signReceipt((bytes) => platform.ed25519.sign(machineSeed, bytes), largest)
  t.same(openReceipt(platform, machinePk, signed), largest)
  t.end()
})

t.test('what is no receipt', (t) => {
  const sign = (value: Parameters<typeof encode>[0]) =>
    signStatement(platform, labels.receipt, machineSeed, encode(value))
  for (const [what, wrong] of Object.entries({
    nothing: new Uint8Array(),
    'ids cut off': sign({ ...testReceipt, ids: new Uint8Array(63) }),
    'no ids': sign({ ...testReceipt, ids: new Uint8Array() }),
    'as a stranger': sign({ ...testReceipt, as: 'stranger' }),
    'another version': sign({ ...testReceipt, v: 2 }),
  })) {
    t.throws(() => openReceipt(platform, machinePk, wrong), { code: 'ABZU_MALFORMED' }, what)
  }
  t.end()
})
