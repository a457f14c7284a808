import fc from 'fast-check'
import t from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import {
  formatShare,
  isCheckOf,
  joinShares,
  parseShare,
  parseShareText,
  recoverySharesMax,
  shareBytesRange,
  splitWords,
  type RecoveryShare,
} from '../../../src/base/crypto/recovery-share.ts'
import { newWords, rootKeysOf, wordsOfEntropy } from '../../../src/base/crypto/words.ts'
import { holdsInTime } from '../../support/property.ts'

const platform = nodePlatform()
const words = newWords(platform)
const invalid = { code: 'ABZU_SHARE_INVALID' }

async function sharesOf(need: number, of: number, split = words): Promise<RecoveryShare[]> {
  return (await splitWords(platform, split, { need, of })).map(parseShare)
}

t.test('any shares that are as many as needed give the words, and fewer do not', async (t) => {
  const counts = fc
    .tuple(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 0, max: 8 }))
    .map(([need, more]) => ({ need, of: Math.min(need + more, recoverySharesMax) }))
  const size = fc.constantFrom(16, 32)
  await holdsInTime(
    t,
    fc.asyncProperty(
      counts,
      size,
      fc.infiniteStream(fc.nat()),
      async ({ need, of }, bytes, draw) => {
        const own = wordsOfEntropy(platform.random(bytes))
        const shares = await sharesOf(need, of, own)
        const order = shares
          .map((share) => ({ share, at: draw.next().value as number }))
          .toSorted((a, b) => a.at - b.at)
          .map(({ share }) => share)
        const joined = await joinShares(platform, order.slice(0, need))
        if (joined.join(' ') !== own.join(' ')) return false
        const tooFew = order.slice(0, need - 1)
        const isRefused = await refuses(tooFew)
        // nor where the shares are made to say that they are enough
        const forged = tooFew.map((share) => ({ ...share, need: need - 1 }))
        return isRefused && (need === 2 || (await refuses(forged)))
      },
    ),
    { seed: 5, runs: 25 },
  )
})

async function refuses(shares: readonly RecoveryShare[]): Promise<boolean> {
  try {
    await joinShares(platform, shares)
    return false
  } catch (error) {
    return (error as { code?: string }).code === invalid.code
  }
}

t.test('what one share tells is the same for all words', async (t) => {
  // of three that are needed, each byte of a share takes every value alike, whatever the words are
  for (const byte of [0x00, 0xff]) {
    const own = wordsOfEntropy(new Uint8Array(32).fill(byte))
    const seen = new Set<number>()
    for (let round = 0; round < 10; round++) {
      for (const { value } of await sharesOf(3, 16, own)) for (const one of value) seen.add(one)
    }
    t.equal(seen.size, 256, 'in 5,120 bytes')
  }
})

t.test('shares that do not go together', async (t) => {
  const shares = await sharesOf(3, 5)
  const [a, b, c] = shares as [RecoveryShare, RecoveryShare, RecoveryShare]
  const others = await sharesOf(3, 5)
  const strangers = await sharesOf(3, 5, newWords(platform))
  for (const [what, wrong] of Object.entries({
    none: [],
    'one share': [a],
    'too few': [a, b],
    'one twice': [a, b, b],
    'of another set of the same words': [a, b, others[2] as RecoveryShare],
    'of another account': [a, b, strangers[2] as RecoveryShare],
    'of other counts': [a, b, { ...c, of: 6 }],
    'of other words, as if of this set': [
      a,
      b,
      { ...(strangers[2] as RecoveryShare), set: a.set, check: a.check },
    ],
    'of another length': [a, b, { ...c, value: c.value.slice(16) }],
    'with another value': [a, b, { ...c, value: c.value.map((byte) => byte ^ 1) }],
    'at another point': [a, b, { ...c, point: freePoint(shares) }],
    'two at one point': [a, b, { ...c, point: b.point }],
    'two of one number': [a, b, { ...c, number: b.number }],
  })) {
    await t.rejects(joinShares(platform, wrong), invalid, what)
  }
  t.same(await joinShares(platform, [c, a, b]), words)
})

function freePoint(shares: readonly RecoveryShare[]): number {
  for (let point = 1; ; point++) {
    if (!shares.some((share) => share.point === point)) return point
  }
}

t.test('who lies is found where there are shares to spare', async (t) => {
  const shares = await sharesOf(3, 6)
  for (const liars of [[0], [2], [5], [0, 1], [1, 4], [0, 1, 2]]) {
    const told = shares.map((share, n) =>
      liars.includes(n) ? { ...share, value: share.value.map((byte) => byte ^ 0x5a) } : share,
    )
    t.same(await joinShares(platform, told), words, `${liars.length} of 6`)
  }
  const tooMany = shares.map((share, n) =>
    n < 4 ? { ...share, value: platform.random(share.value.length) } : share,
  )
  await t.rejects(joinShares(platform, tooMany), invalid)
})

t.test('the search for who lies ends', async (t) => {
  const shares = (await sharesOf(8, 16)).map((share) => ({
    ...share,
    value: platform.random(32),
  }))
  await t.rejects(joinShares(platform, shares), invalid, '12,870 choices are not tried')
})

t.test('an account knows its shares', async (t) => {
  const [share] = await sharesOf(2, 3)
  const pkOf = (of: readonly string[]) =>
    platform.ed25519.publicKey(rootKeysOf(platform, of).rootSeed)
  t.ok(isCheckOf(platform, share as RecoveryShare, pkOf(words)))
  t.notOk(isCheckOf(platform, share as RecoveryShare, pkOf(newWords(platform))))
  for (const change of [{ need: 3 }, { of: 4 }, { set: new Uint8Array(4) }]) {
    t.notOk(isCheckOf(platform, { ...(share as RecoveryShare), ...change }, pkOf(words)))
  }
})

t.test('a share as text', async (t) => {
  const all = await splitWords(platform, words, { need: 2, of: 16 })
  for (const bytes of all) {
    const text = formatShare(bytes)
    t.match(text, /^abzushare1[02-9ac-hj-np-z]{85}$/)
    t.same(parseShareText(text), parseShare(bytes))
    t.same(
      parseShareText(` ${text.toUpperCase().replaceAll(/(.{5})/g, '$1 - ')}\n`),
      parseShare(bytes),
    )
    t.equal(bytes.length, shareBytesRange.max)
  }
  const [short] = await splitWords(platform, wordsOfEntropy(platform.random(16)), {
    need: 2,
    of: 2,
  })
  t.equal(short?.length, shareBytesRange.min)
})

t.test('slips of the pen', async (t) => {
  const [bytes] = await splitWords(platform, words, { need: 2, of: 3 })
  const text = formatShare(bytes as Uint8Array)
  const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
  let slips = 0
  for (let at = 'abzushare1'.length; at < text.length; at++) {
    for (const letter of letters) {
      if (letter === text[at]) continue
      slips++
      const slip = text.slice(0, at) + letter + text.slice(at + 1)
      if (parses(slip)) t.fail(slip)
    }
    const swapped = text.slice(0, at) + (text[at + 1] ?? '') + text[at] + text.slice(at + 2)
    if (swapped !== text && parses(swapped)) t.fail(swapped)
  }
  t.ok(slips > 2000, `${slips} slips are noticed`)
})

function parses(text: string): boolean {
  try {
    parseShareText(text)
    return true
  } catch (error) {
    if ((error as { code?: string }).code !== invalid.code) throw error
    return false
  }
}

t.test('what is no share', async (t) => {
  const [bytes] = (await splitWords(platform, words, { need: 2, of: 3 })) as [Uint8Array]
  const text = formatShare(bytes)
  const changed = (at: number, byte: number) => bytes.with(at, byte)
  for (const [what, wrong] of Object.entries({
    empty: new Uint8Array(),
    'cut short': bytes.slice(0, -1),
    'too long': new Uint8Array([...bytes, 0]),
    'another version': changed(0, 2),
    'one is needed': changed(5, 1),
    'more needed than there are': changed(5, 4),
    'more than there may be': changed(6, 17),
    'number 0': changed(7, 0),
    'number 4 of 3': changed(7, 4),
    'the point where the words are': changed(8, 0),
  })) {
    t.throws(() => parseShare(wrong), invalid, what)
    t.throws(() => parseShareText(formatShare(wrong)), invalid, `${what}, as text`)
  }
  for (const [what, wrong] of Object.entries({
    nothing: '',
    words: words.join(' '),
    'an address': 'abzu1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq',
    'another prefix': text.replace('abzushare', 'abzushared'),
    'large and small letters': text.replace('abzu', 'Abzu'),
    'no end': text + 'q'.repeat(1e7),
  })) {
    t.throws(() => parseShareText(wrong), invalid, what)
  }
})

t.test('what cannot be split', async (t) => {
  for (const [need, of] of [
    [1, 3],
    [0, 3],
    [4, 3],
    [2, 17],
    [2, 1],
    [2.5, 3],
    [NaN, 3],
  ] as const) {
    const split = splitWords(platform, words, { need, of })
    await t.rejects(split, { code: 'ABZU_INVALID_ARGUMENT' }, `${need} of ${of}`)
  }
  const wrong = Array<string>(24).fill('abandon')
  await t.rejects(splitWords(platform, wrong, { need: 2, of: 3 }), { code: 'ABZU_WORDS_INVALID' })
})
