import t from 'tap'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { bech32, bech32m } from '@scure/base'
import fc from 'fast-check'
import {
  accountIdOf,
  didKeyOf,
  itemIdOf,
  machineKeyOf,
  mailboxIdOf,
  parseAccountId,
  parsePeerId,
  peerIdOf,
  rootKeyOf,
} from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { AccountId } from '../../../src/base/util/brand.ts'
import { concatBytes, utf8 } from '../../../src/base/util/bytes.ts'
import { hex, readVectors } from '../../support/vectors.ts'
import { holds } from '../../support/property.ts'

const platform = nodePlatform()
const key = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((seed) => platform.ed25519.publicKey(seed))
const rootPk = platform.ed25519.publicKey(new Uint8Array(32).fill(3))
const account = accountIdOf(rootPk)

t.test('an account is 64 characters that give its key back', (t) => {
  holds(
    t,
    fc.property(key, (rootPk) => {
      const account = accountIdOf(rootPk)
      return (
        account.length === 64 &&
        account.startsWith('abzu1') &&
        parseAccountId(account) === account &&
        parseAccountId(account.toUpperCase()) === account &&
        parseAccountId(didKeyOf(account)) === account &&
        rootKeyOf(account).join() === rootPk.join()
      )
    }),
    { seed: 1, runs: 200 },
  )
  t.end()
})

t.test('published did:key of published seeds', (t) => {
  const { vectors } = readVectors<{ vectors: { seed: string; did: string }[] }>('published/did-key')
  for (const { seed, did } of vectors) {
    const account = accountIdOf(platform.ed25519.publicKey(hex(seed)))
    t.equal(didKeyOf(account), did)
    t.equal(parseAccountId(did), account)
  }
  t.equal(vectors.length, 5)
  t.end()
})

t.test('bech32m (BIP-350)', (t) => {
  const { valid, invalid } = readVectors<{ valid: string[]; invalid: string[] }>(
    'published/bech32m-bip350',
  )
  for (const text of valid) t.ok(bech32m.decodeUnsafe(text), text)
  for (const text of invalid) t.notOk(bech32m.decodeUnsafe(text), text)
  for (const text of [...valid, ...invalid]) {
    t.throws(() => parseAccountId(text), { code: 'ABZU_ADDRESS_INVALID' }, text)
  }
  t.equal(valid.length + invalid.length, 17)
  t.end()
})

t.test('every single wrong character is noticed', (t) => {
  const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
  let refused = 0
  for (let i = 5; i < account.length; i++) {
    for (const character of alphabet) {
      if (character === account[i]) continue
      const wrong = account.slice(0, i) + character + account.slice(i + 1)
      t.throws(() => parseAccountId(wrong), { code: 'ABZU_ADDRESS_INVALID' })
      refused++
    }
  }
  t.equal(refused, 59 * 31)
  t.end()
})

t.test('texts that are no account', (t) => {
  const words = (payload: Uint8Array) => bech32m.toWords(payload)
  const zero = new Uint8Array([0])
  for (const [what, text] of Object.entries({
    'an empty text': '',
    'mixed case': account.slice(0, 30) + account.slice(30).toUpperCase(),
    'bech32 instead of bech32m': bech32.encode('abzu', words(concatBytes(zero, rootPk))),
    'another prefix': bech32m.encode('bzua', words(concatBytes(zero, rootPk))),
    'another version': bech32m.encode('abzu', words(concatBytes(Uint8Array.of(1), rootPk))),
    'a short key': bech32m.encode('abzu', words(rootPk)),
    'a key of small order': bech32m.encode('abzu', words(new Uint8Array(33))),
    'a space before it': ` ${account}`,
    'a did of another method': didKeyOf(account).replace('key', 'web'),
    'a did cut short': didKeyOf(account).slice(0, -1),
    'a did:key of X25519': 'did:key:z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW',
    'a did without end': `did:key:z${'z'.repeat(1_000_000)}`,
    'an account without end': `abzu1${'q'.repeat(1_000_000)}`,
  })) {
    t.throws(() => parseAccountId(text), { code: 'ABZU_ADDRESS_INVALID' }, what)
  }
  t.throws(() => rootKeyOf('abzu1' as AccountId), { code: 'ABZU_ADDRESS_INVALID' })
  t.end()
})

t.test('a mesh address is the one that libp2p computes', (t) => {
  holds(
    t,
    fc.property(key, (machinePk) => {
      const peerId = peerIdOf(machinePk)
      const libp2p = peerIdFromPublicKey(publicKeyFromRaw(machinePk)).toString()
      return (
        peerId === libp2p &&
        parsePeerId(peerId) === peerId &&
        machineKeyOf(peerId).join() === machinePk.join()
      )
    }),
    { seed: 2, runs: 200 },
  )
  t.end()
})

t.test('texts that are no mesh address', (t) => {
  const peerId = peerIdOf(rootPk)
  for (const text of [
    '',
    peerId.slice(1),
    `${peerId}1`,
    `1${peerId}`,
    peerId.replace('12D3', '12d3'),
    'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    '16Uiu2HAm9Y5gVTZRMcPYTQjVZEEpXBHVNVgrLpAkTgUvNFLMGkgK',
    peerIdOf(new Uint8Array(32)),
    '0OIl',
    '1'.repeat(1_000_000),
    'z'.repeat(1_000_000),
  ]) {
    t.throws(() => parsePeerId(text), { code: 'ABZU_ADDRESS_INVALID' }, text.slice(0, 60))
  }
  t.end()
})

t.test('mailbox and item', (t) => {
  const label = utf8('abzu/v1/mailbox-id\0')
  t.same(mailboxIdOf(platform, rootPk), platform.sha256(concatBytes(label, rootPk)))
  t.same(itemIdOf(platform, rootPk), platform.sha256(rootPk))
  t.end()
})
