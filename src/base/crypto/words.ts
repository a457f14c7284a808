/**
 * The words that an account can always be recovered from (BIP-39, English), and the keys they give.
 * @see docs/protocol.md#keys
 * @module
 */

import {
  entropyToMnemonic,
  mnemonicToEntropy,
  mnemonicToSeedSync,
  validateMnemonic,
} from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { AbzuError } from '../util/errors.ts'
import type { CryptoPlatform } from './platform.ts'
import { slip10Node } from './slip10.ts'

const entropyBytes = 32
const wordCounts = [12, 24]
/** Well above 24 of the longest words. */
const charactersMax = 1024
/** Under BIP-44, with the letters `abzu` as the coin: no wallet derives these keys from the words. */
const abzuPath = [44, 0x61627a75]
const rootStep = 0
const recoveryStep = 1

/** 24 fresh words. */
export function newWords(platform: Pick<CryptoPlatform, 'random'>): string[] {
  return wordsOfEntropy(platform.random(entropyBytes))
}

/** The 12 or 24 words of 16 or 32 random bytes. */
export function wordsOfEntropy(entropy: Uint8Array): string[] {
  return entropyToMnemonic(entropy, wordlist).split(' ')
}

/** The 16 or 32 bytes that 12 or 24 words stand for. The caller wipes them.
 *  @throws {AbzuError} ABZU_WORDS_INVALID */
export function entropyOfWords(words: readonly string[]): Uint8Array {
  return mnemonicToEntropy(parseWords(words).join(' '), wordlist)
}

/** The 12 or 24 words that a person typed, in lower case.
 *  @throws {AbzuError} ABZU_WORDS_INVALID: a wrong number of words, an unknown one, or a checksum that does not fit */
export function parseWords(typed: string | readonly string[]): string[] {
  const text = typeof typed === 'string' ? typed : typed.join(' ')
  if (text.length > charactersMax) throw invalid()
  const words = text.normalize('NFKD').toLowerCase().trim().split(/\s+/)
  if (!wordCounts.includes(words.length) || !validateMnemonic(words.join(' '), wordlist)) {
    throw invalid()
  }
  return words
}

const known = new Set(wordlist)
/** So many in a row are no prose. */
const tellingRun = 6

/** `text`, of which runs of six or more of these words are left out: for whatever is written down. */
export function withoutWords(text: string): string {
  return text.replaceAll(/[a-z]+(?:[^a-z]{1,4}[a-z]+){5,}/gi, (prose) => {
    const parts = prose.split(/([^a-z]+)/i)
    const isKnown = parts.map((part, n) => n % 2 === 1 || known.has(part.toLowerCase()))
    const told: string[] = []
    for (let start = 0; start < parts.length;) {
      let end = start
      while (end < parts.length && isKnown[end] === isKnown[start]) end++
      const isTelling = isKnown[start] && end - start >= 2 * tellingRun - 1
      told.push(...(isTelling ? ['…'] : parts.slice(start, end)))
      start = end
    }
    return told.join('')
  })
}

/** The Ed25519 seed of the root key and the X-Wing seed of the recovery key, 32 bytes each. Takes some
 *  tens of ms.
 *  @throws {AbzuError} ABZU_WORDS_INVALID */
export function rootKeysOf(
  platform: Pick<CryptoPlatform, 'hmacSha512'>,
  words: readonly string[],
): { readonly rootSeed: Uint8Array; readonly recoverySeed: Uint8Array } {
  const seed = mnemonicToSeedSync(parseWords(words).join(' '))
  try {
    return {
      rootSeed: slip10Node(platform, seed, [...abzuPath, rootStep]).key,
      recoverySeed: slip10Node(platform, seed, [...abzuPath, recoveryStep]).key,
    }
  } finally {
    seed.fill(0)
  }
}

function invalid(): AbzuError {
  return new AbzuError('ABZU_WORDS_INVALID', 'these are not the 12 or 24 words of an account')
}
