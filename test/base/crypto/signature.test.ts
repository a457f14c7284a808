import t from 'tap'
import { labels } from '../../../src/base/crypto/labels.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openStatement, signStatement, unverifiedBody } from '../../../src/base/crypto/signature.ts'
import { concatBytes, utf8 } from '../../../src/base/util/bytes.ts'

const platform = nodePlatform()
const seed = new Uint8Array(32).fill(1)
const publicKey = platform.ed25519.publicKey(seed)
const body = utf8('what is stated')
const signed = signStatement(platform, labels.receipt, seed, body)

t.test('a statement is its body and 64 bytes', (t) => {
  t.equal(signed.length, body.length + 64)
  t.same(openStatement(platform, labels.receipt, publicKey, signed), body)
  t.same(unverifiedBody(signed), body)
  const message = concatBytes(labels.receipt, body)
  t.same(signed.slice(body.length), platform.ed25519.sign(seed, message))
  t.end()
})

t.test('I23: a bit flipped anywhere', (t) => {
  for (let bit = 0; bit < signed.length * 8; bit++) {
    const changed = Uint8Array.from(signed)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    t.throws(() => openStatement(platform, labels.receipt, publicKey, changed), {
      code: 'ABZU_SIGNATURE_INVALID',
    })
  }
  t.end()
})

t.test('what is too short to be a statement', (t) => {
  for (const length of [0, 1, 63, 64]) {
    t.throws(() => openStatement(platform, labels.receipt, publicKey, signed.subarray(0, length)), {
      code: 'ABZU_MALFORMED',
    })
  }
  t.end()
})

t.test('the signature is the last 64 bytes, not more and not fewer', (t) => {
  const code = 'ABZU_SIGNATURE_INVALID'
  const longer = concatBytes(signed, new Uint8Array(1))
  t.throws(() => openStatement(platform, labels.receipt, publicKey, longer), { code })
  t.throws(() => openStatement(platform, labels.receipt, publicKey, signed.subarray(1)), { code })
  t.end()
})
