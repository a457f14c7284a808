import t from 'tap'
import fc from 'fast-check'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import {
  generationOfBody,
  openSlotBody,
  sealSlotBody,
  slotPlainBytesMax,
  vaultGenerationOf,
  type SlotSeal,
} from '../../../src/base/crypto/vault-cipher.ts'
import { equalBytes, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { isAbzuError } from '../../../src/base/util/errors.ts'
import { wireLimits } from '../../../src/base/wire/limits.ts'
import { holds } from '../../support/property.ts'

const node = nodePlatform()
const noble = noblePlatform({ random: (length) => node.random(length) })
const seal: SlotSeal = {
  vaultKey: new Uint8Array(32).fill(1),
  mailbox: new Uint8Array(32).fill(2),
  key: new Uint8Array(20).fill(3),
  version: 4,
}

/** The plaintext, or undefined where the body does not open there with the one error. */
function opened(place: SlotSeal, body: Uint8Array, platform = node): Uint8Array | undefined {
  try {
    return openSlotBody(platform, place, body)
  } catch (error) {
    if (!isAbzuError(error, 'ABZU_SEAL_BROKEN')) throw error
    return undefined
  }
}

t.test('each platform opens what each sealed', (t) => {
  for (const sealer of [node, noble]) {
    for (const length of [0, 1, 63, 64, 65, 4096, slotPlainBytesMax]) {
      const plain = new Uint8Array(length).fill(9)
      const body = sealSlotBody(sealer, seal, plain)
      for (const opener of [node, noble]) {
        t.ok(equalBytes(openSlotBody(opener, seal, body), plain), `${length} bytes`)
      }
    }
  }
  t.equal(
    sealSlotBody(node, seal, new Uint8Array(slotPlainBytesMax)).length,
    wireLimits.slotBodyBytesMax,
  )
  t.throws(() => sealSlotBody(node, seal, new Uint8Array(slotPlainBytesMax + 1)), {
    code: 'ABZU_TOO_LARGE',
  })
  t.end()
})

t.test('the generation names the vault key and does not give it', (t) => {
  const body = sealSlotBody(node, seal, utf8('a contact'))
  t.same(generationOfBody(body), vaultGenerationOf(node, seal.vaultKey))
  t.not(toHex(generationOfBody(body)), toHex(node.sha256(seal.vaultKey).slice(0, 16)))
  t.throws(() => generationOfBody(body.subarray(0, 55)), { code: 'ABZU_SEAL_BROKEN' })
  t.end()
})

t.test('two seals of the same are unlike', (t) => {
  const plain = utf8('a contact')
  t.not(toHex(sealSlotBody(node, seal, plain)), toHex(sealSlotBody(node, seal, plain)))
  t.end()
})

t.test('I22: a body opens in its own place only, of all pairs of places', (t) => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const two = <T>(value: fc.Arbitrary<T>) =>
    fc.uniqueArray(value, {
      minLength: 2,
      maxLength: 2,
      comparator: (a, b) => String(a) === String(b),
    })
  const places = fc
    .record({
      vaultKeys: two(bytes(32)),
      mailboxes: two(bytes(32)),
      keys: two(bytes(20)),
      versions: two(fc.maxSafeNat()),
    })
    .map(({ vaultKeys, mailboxes, keys, versions }) =>
      vaultKeys.flatMap((vaultKey) =>
        mailboxes.flatMap((mailbox) =>
          keys.flatMap((key) => versions.map((version) => ({ vaultKey, mailbox, key, version }))),
        ),
      ),
    )
  let pairs = 0
  holds(
    t,
    fc.property(places, (seals) => {
      const bodies = seals.map((place, i) => sealSlotBody(node, place, Uint8Array.of(i)))
      return seals.every((place, i) =>
        bodies.every((body, j) => {
          pairs++
          const plain = opened(place, body)
          return i === j ? plain?.[0] === j : plain === undefined
        }),
      )
    }),
    { seed: 22, runs: 20 },
  )
  t.equal(pairs, 20 * 16 * 16)
  t.end()
})

t.test('I22: a body under another generation name does not open', (t) => {
  const other = { ...seal, vaultKey: new Uint8Array(32).fill(5) }
  const body = sealSlotBody(node, seal, utf8('a contact'))
  const renamed = Uint8Array.from(body)
  renamed.set(vaultGenerationOf(node, other.vaultKey))
  t.equal(opened(seal, renamed), undefined)
  t.equal(opened(other, renamed), undefined)
  t.end()
})

t.test('I23: a bit flipped anywhere, a cut or an extension gives one error', (t) => {
  const body = sealSlotBody(node, seal, utf8('a contact'))
  for (let bit = 0; bit < body.length * 8; bit++) {
    const changed = Uint8Array.from(body)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    if (opened(seal, changed) || opened(seal, changed, noble)) t.fail(`bit ${bit}`)
  }
  for (let length = 0; length < body.length; length++) {
    if (opened(seal, body.subarray(0, length))) t.fail(`${length} bytes`)
  }
  t.equal(opened(seal, Uint8Array.of(...body, 0)), undefined)
  t.end()
})
