import t from 'tap'
import { openSealed, sealTo, startSeal } from '../../../src/base/crypto/hpke.ts'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { hex, readVectors } from '../../support/vectors.ts'

const node = nodePlatform()
const noble = noblePlatform({ random: (length) => node.random(length) })

t.test('the published vector of this suite', async (t) => {
  const { vectors } = readVectors<{ vectors: Record<string, string>[] }>('published/hpke-xwing')
  for (const vector of vectors) {
    const [seed, info, aad, plain] = ['skRm', 'info', 'aad', 'plain'].map((field) =>
      hex(vector[field] ?? ''),
    ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    const derandomised = noblePlatform({ random: () => hex(vector.ikmE ?? '') })
    const publicKey = node.kem.publicKey(seed)
    const { enc, sealed } = await sealTo(derandomised, { publicKey, info, aad, plain })
    t.equal(toHex(sealed), vector.sealed)
    for (const platform of [node, noble]) {
      t.equal(toHex(platform.kem.decapsulate(seed, enc)), vector.sharedSecret)
      t.same(await openSealed(platform, { seed, info, aad, enc, sealed }), plain)
    }
  }
  t.equal(vectors.length, 1)
})

const seed = new Uint8Array(32).fill(5)
const publicKey = node.kem.publicKey(seed)
const [info, aad, plain] = [utf8('info'), utf8('aad'), utf8('plain')]

t.test('whatever is changed, it does not open', async (t) => {
  const { enc, sealed } = await sealTo(node, { publicKey, info, aad, plain })
  const right = { seed, info, aad, enc, sealed }
  t.same(await openSealed(node, right), plain)
  const flipped = (bytes: Uint8Array, at: number) => {
    const copy = Uint8Array.from(bytes)
    copy[at] = (copy[at] as number) ^ 1
    return copy
  }
  for (const [what, wrong] of Object.entries({
    'another key': { ...right, seed: new Uint8Array(32).fill(6) },
    'another info': { ...right, info: utf8('inf0') },
    'another aad': { ...right, aad: utf8('aaad') },
    'a changed ML-KEM part': { ...right, enc: flipped(enc, 0) },
    'a changed X25519 part': { ...right, enc: flipped(enc, 1100) },
    'an X25519 part of small order': { ...right, enc: Uint8Array.from(enc).fill(0, 1088) },
    'a short encapsulation': { ...right, enc: enc.subarray(1) },
    'no encapsulation': { ...right, enc: new Uint8Array() },
    'a changed ciphertext': { ...right, sealed: flipped(sealed, 0) },
    'a changed tag': { ...right, sealed: flipped(sealed, sealed.length - 1) },
    'half a tag': { ...right, sealed: sealed.subarray(0, 8) },
    'no ciphertext': { ...right, sealed: new Uint8Array() },
  })) {
    for (const platform of [node, noble]) {
      await t.rejects(openSealed(platform, wrong), { code: 'ABZU_SEAL_BROKEN' }, what)
    }
  }
})

t.test('what is no public key', async (t) => {
  for (const [what, wrong] of Object.entries({
    nothing: new Uint8Array(),
    'too short': publicKey.subarray(1),
    'coefficients beyond the modulus': Uint8Array.from(publicKey).fill(0xff, 0, 1152),
    'an X25519 key of small order': Uint8Array.from(publicKey).fill(0, 1184),
  })) {
    for (const platform of [node, noble]) {
      await t.rejects(startSeal(platform, wrong, info), { code: 'ABZU_MALFORMED' }, what)
    }
  }
})

t.test('two seals of the same are unlike', async (t) => {
  const [a, b] = [await startSeal(node, publicKey, info), await startSeal(node, publicKey, info)]
  t.not(toHex(a.enc), toHex(b.enc))
})
