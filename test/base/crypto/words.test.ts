import t from 'tap'
import { pbkdf2Sync } from 'node:crypto'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { slip10Node } from '../../../src/base/crypto/slip10.ts'
import { newWords, parseWords, rootKeysOf } from '../../../src/base/crypto/words.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { hex, readVectors } from '../../support/vectors.ts'

const platform = nodePlatform()
const { vectors, seed: published } = readVectors<{
  vectors: { entropy: string; words: string }[]
  seed: { words: string; seed: string }
}>('published/bip39-english')

t.test('published words', (t) => {
  for (const { entropy, words } of vectors) {
    t.same(parseWords(words), words.split(' '))
    if (entropy.length === 64) {
      t.equal(newWords({ random: () => hex(entropy) }).join(' '), words)
    }
  }
  t.equal(vectors.length, 12)
  t.end()
})

t.test('the root and the recovery key hang under the published seed', (t) => {
  const seed = pbkdf2Sync(published.words, 'mnemonic', 2048, 64, 'sha512')
  t.equal(seed.toString('hex'), published.seed)
  const { rootSeed, recoverySeed } = rootKeysOf(platform, published.words.split(' '))
  const coin = 0x61627a75
  t.equal(toHex(rootSeed), toHex(slip10Node(platform, seed, [44, coin, 0]).key))
  t.equal(toHex(recoverySeed), toHex(slip10Node(platform, seed, [44, coin, 1]).key))
  t.end()
})

t.test('new words are 24, and others each time', (t) => {
  const words = newWords(platform)
  t.equal(words.length, 24)
  t.same(parseWords(words), words)
  t.not(newWords(platform).join(' '), words.join(' '))
  t.end()
})

t.test('words are read as people type them', (t) => {
  const [first] = vectors
  const words = first?.words ?? ''
  t.same(parseWords(`  ${words.toUpperCase().replaceAll(' ', ' \n\t ')} \r\n`), words.split(' '))
  t.end()
})

t.test('words that are none', (t) => {
  const good = vectors[8]?.words.split(' ') ?? []
  const [first = ''] = good
  for (const [what, words] of Object.entries({
    'none at all': [],
    'an empty text': '',
    'a word too few': good.slice(1),
    'a word too many': [...good, first],
    '15 words, which BIP-39 knows': Array.from({ length: 15 }, () => 'abandon'),
    'an unknown word': ['abandom', ...good.slice(1)],
    'a checksum that does not fit': [...good.slice(1), first],
    'words of other letters': good.join(' ').replace('title', 'títle').replaceAll('a', 'а'),
    'a text without end': 'abandon '.repeat(100_000),
  })) {
    t.throws(() => parseWords(words), { code: 'ABZU_WORDS_INVALID' }, what)
  }
  t.throws(() => rootKeysOf(platform, good.slice(1)), { code: 'ABZU_WORDS_INVALID' })
  t.end()
})

t.test('an error says nothing of the words', (t) => {
  try {
    parseWords('legal winner thank')
    t.fail('it was accepted')
  } catch (error) {
    t.notMatch(String((error as Error).stack), /legal|winner/)
  }
  t.end()
})
