/**
 * The words of an account split among people: any `need` of the shares give them back, fewer tell nothing of them
 * (Shamir's scheme over GF(2^8), of the words' entropy).
 *
 *     share = 01 | set[4] | need[1] | of[1] | number[1] | point[1] | check[8] | value[16 or 32]
 *
 * The scheme itself takes any bytes for a share. So `check`, the beginning of SHA-256(label | set | need | of | root
 * public key), is the same in all shares of a set: whoever knows the account sees that a share is one of its, and
 * whoever puts shares together sees whether the right words came out. As text a share is bech32m, `abzushare1...`,
 * whose checksum finds slips of the pen.
 * @see docs/protocol.md#family-recovery
 * @module
 */

import { bech32m } from '@scure/base'
import { combine, split } from 'shamir-secret-sharing'
import { concatBytes, equalBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'
import { entropyOfWords, rootKeysOf, wordsOfEntropy } from './words.ts'

type SplitPlatform = Pick<CryptoPlatform, 'random' | 'sha256' | 'hmacSha512' | 'ed25519'>
type JoinPlatform = Omit<SplitPlatform, 'random'>

/** One share, as its owner and its keeper see it. */
export interface RecoveryShare {
  /** 4 random bytes: which splitting it is of. */
  readonly set: Uint8Array
  /** Shares that give the words. */
  readonly need: number
  /** Shares of the set. */
  readonly of: number
  /** Which of them, from 1. */
  readonly number: number
  /** 8 bytes. */
  readonly check: Uint8Array
  /** Where the polynomials were evaluated, 1 to 255. */
  readonly point: number
  /** Their values, one for each byte of the words' entropy. */
  readonly value: Uint8Array
}

/** Shares of one set. More people than a family has. */
export const recoverySharesMax = 16
/** Shares that may be asked for. One alone would be the words themselves. */
const recoveryNeedMin = 2

const prefix = 'abzushare'
const version = 1
const setBytes = 4
const checkBytes = 8
const headBytes = 9
const valueOffset = headBytes + checkBytes
const entropySizes = [16, 32]
/** 95 are the most, and what people put between them. */
const charactersMax = 256
/** Attempts to leave out shares that are not what was given out: 30 ms each. */
const attemptsMax = 128

/** Least and most bytes of a share. */
export const shareBytesRange = { min: valueOffset + 16, max: valueOffset + 32 } as const

/** Splits the words into `of` shares, any `need` of which give them back. Fresh ones at each call: shares of two calls
 *  do not go together.
 *  @throws {AbzuError} ABZU_WORDS_INVALID, ABZU_INVALID_ARGUMENT */
export async function splitWords(
  platform: SplitPlatform,
  words: readonly string[],
  { need, of }: Pick<RecoveryShare, 'need' | 'of'>,
): Promise<Uint8Array[]> {
  if (!areCounts(need, of)) {
    const range = `from ${recoveryNeedMin} to ${recoverySharesMax} shares`
    throw new AbzuError('ABZU_INVALID_ARGUMENT', `${range}, and no more needed than there are`)
  }
  const set = platform.random(setBytes)
  const check = checkOf(platform, { set, need, of }, rootPkOf(platform, words))
  const entropy = entropyOfWords(words)
  try {
    const parts = await split(entropy, of, need)
    return parts.map((part, n) => {
      const [point, value] = [part[part.length - 1] as number, part.subarray(0, -1)]
      return encodeShare({ set, need, of, number: n + 1, point, check, value })
    })
  } finally {
    entropy.fill(0)
  }
}

/** The words that shares of one set give, once they turned out to be the right ones. With more shares than are needed,
 *  those that are not what was given out are found and left out, as long as they are few.
 *  @throws {AbzuError} ABZU_SHARE_INVALID: too few, of different sets, one of them twice, or not what was given out */
export async function joinShares(
  platform: JoinPlatform,
  shares: readonly RecoveryShare[],
): Promise<string[]> {
  const [first] = shares
  if (!first) throw unusable('no share was given')
  for (const [n, share] of shares.entries()) {
    if (!isSameSet(share, first)) {
      throw unusable(`share ${n + 1} is not of the same set as share 1: words split anew`)
    }
    const twin = shares.findIndex(
      ({ number, point }) => number === share.number || point === share.point,
    )
    if (twin !== n) throw unusable(`share ${n + 1} is share ${twin + 1} once more`)
  }
  if (shares.length < first.need) {
    throw unusable(`${first.need} shares are needed, and ${shares.length} were given`)
  }
  let attempts = 0
  for (const chosen of choices(shares, first.need)) {
    if (attempts++ >= attemptsMax) break
    const words = await wordsOf(chosen)
    if (isCheckOf(platform, first, rootPkOf(platform, words))) return words
  }
  throw unusable('these shares give no words of their account: one is not what was given out')
}

/** Whether `share` says that it is of the account `rootPk`. What it is worth shows when the words come out. */
export function isCheckOf(
  platform: Pick<CryptoPlatform, 'sha256'>,
  share: Pick<RecoveryShare, 'set' | 'need' | 'of' | 'check'>,
  rootPk: Uint8Array,
): boolean {
  return equalBytes(share.check, checkOf(platform, share, rootPk))
}

/** Reads the bytes of a share.
 *  @throws {AbzuError} ABZU_SHARE_INVALID */
export function parseShare(bytes: Uint8Array): RecoveryShare {
  const [form, , , , , need = 0, of = 0, number = 0, point = 0] = bytes
  const isSized = entropySizes.includes(bytes.length - valueOffset)
  const isPlaced = areCounts(need, of) && number >= 1 && number <= of && point >= 1
  if (form !== version || !isSized || !isPlaced) throw unusable('this is no share of version 1')
  return {
    set: bytes.slice(1, 1 + setBytes),
    need,
    of,
    number,
    point,
    check: bytes.slice(headBytes, valueOffset),
    value: bytes.slice(valueOffset),
  }
}

/** A share as text that is told, written down or shown as a picture: lower-case letters and digits. */
export function formatShare(bytes: Uint8Array): string {
  return bech32m.encode(prefix, bech32m.toWords(bytes), false)
}

/** A share that somebody typed. Blanks and hyphens do not count, nor does writing it all in capitals.
 *  @throws {AbzuError} ABZU_SHARE_INVALID */
export function parseShareText(typed: string): RecoveryShare {
  if (typed.length > charactersMax) throw unusable('this is longer than any share')
  const text = typed.replaceAll(/[\s-]+/g, '') as `${string}1${string}`
  let decoded
  try {
    const { prefix, words } = bech32m.decode(text, false)
    decoded = { prefix, bytes: bech32m.fromWords(words) }
  } catch (cause) {
    throw unusable('this is no share, or a letter of it is wrong', cause)
  }
  if (decoded.prefix !== prefix) throw unusable('this is something else than a share')
  return parseShare(decoded.bytes)
}

function encodeShare({ set, need, of, number, point, check, value }: RecoveryShare): Uint8Array {
  const counts = new Uint8Array([need, of, number, point])
  return concatBytes(new Uint8Array([version]), set, counts, check, value)
}

function areCounts(need: number, of: number): boolean {
  const isCount = (count: number): boolean =>
    Number.isInteger(count) && count >= recoveryNeedMin && count <= recoverySharesMax
  return isCount(need) && isCount(of) && need <= of
}

function isSameSet(a: RecoveryShare, b: RecoveryShare): boolean {
  const isAlike = a.need === b.need && a.of === b.of && a.value.length === b.value.length
  return isAlike && equalBytes(a.set, b.set) && equalBytes(a.check, b.check)
}

async function wordsOf(shares: readonly RecoveryShare[]): Promise<string[]> {
  const parts = shares.map(({ value, point }) => concatBytes(value, new Uint8Array([point])))
  const entropy = await combine(parts)
  try {
    return wordsOfEntropy(entropy)
  } finally {
    for (const bytes of [entropy, ...parts]) bytes.fill(0)
  }
}

/** Every choice of `count` of them, the first ones first. */
function* choices<T>(all: readonly T[], count: number): Iterable<T[]> {
  if (count === 0) {
    yield []
    return
  }
  for (const [n, first] of all.entries()) {
    for (const rest of choices(all.slice(n + 1), count - 1)) yield [first, ...rest]
  }
}

function rootPkOf(platform: JoinPlatform, words: readonly string[]): Uint8Array {
  const { rootSeed, recoverySeed } = rootKeysOf(platform, words)
  const rootPk = platform.ed25519.publicKey(rootSeed)
  rootSeed.fill(0)
  recoverySeed.fill(0)
  return rootPk
}

function checkOf(
  platform: Pick<CryptoPlatform, 'sha256'>,
  { set, need, of }: Pick<RecoveryShare, 'set' | 'need' | 'of'>,
  rootPk: Uint8Array,
): Uint8Array {
  const counts = new Uint8Array([need, of])
  return platform.sha256(labels.recoveryShare, set, counts, rootPk).slice(0, checkBytes)
}

function unusable(message: string, cause?: unknown): AbzuError {
  return new AbzuError('ABZU_SHARE_INVALID', message, { cause })
}
