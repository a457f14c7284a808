import t from 'tap'
import {
  keyringIdOf,
  keyringRecipientsMax,
  openKeyringItem,
  parseKeyringItem,
  sealKeyringItem,
  type KeyringSecret,
} from '../../../src/base/crypto/keyring.ts'
import { prekeyIdOf } from '../../../src/base/crypto/mailbox-record.ts'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { concatBytes } from '../../../src/base/util/bytes.ts'

const node = nodePlatform()
const noble = noblePlatform({ random: (length) => node.random(length) })
const seeds = [1, 2, 3].map((value) => new Uint8Array(32).fill(value))
const [first, second, stranger] = seeds as [Uint8Array, Uint8Array, Uint8Array]
const keys = [first, second].map((seed) => node.kem.publicKey(seed))
const secret: KeyringSecret = { kind: 'vault', secret: new Uint8Array(32).fill(9) }

t.test('each recipient opens it, on each platform', async (t) => {
  for (const kind of ['vault', 'name', 'prekey'] as const) {
    for (const sealer of [node, noble]) {
      const item = await sealKeyringItem(sealer, { ...secret, kind }, keys)
      t.same(parseKeyringItem(item), {
        kind,
        id: keyringIdOf(node, { ...secret, kind }),
        recipients: keys.map((key) => prekeyIdOf(node, key)),
      })
      for (const seed of [first, second]) {
        t.same(await openKeyringItem(node, item, seed), { ...secret, kind })
        t.same(await openKeyringItem(noble, item, seed), { ...secret, kind })
      }
    }
  }
})

t.test('nobody else does', async (t) => {
  const item = await sealKeyringItem(node, secret, keys)
  await t.rejects(openKeyringItem(node, item, stranger), { code: 'ABZU_SEAL_BROKEN' })
})

t.test('an id tells kinds and secrets apart', (t) => {
  const ids = [
    keyringIdOf(node, secret),
    keyringIdOf(node, { ...secret, kind: 'prekey' }),
    keyringIdOf(node, { ...secret, secret: new Uint8Array(32).fill(8) }),
  ]
  t.equal(new Set(ids.map(String)).size, 3)
  t.end()
})

t.test('I22: entries and heads swapped between items do not open', async (t) => {
  const entryBytes = 8 + 1120 + 48
  const mine = await sealKeyringItem(node, secret, keys)
  const others: KeyringSecret[] = [
    { kind: 'prekey', secret: secret.secret },
    { kind: 'vault', secret: new Uint8Array(32).fill(8) },
  ]
  for (const other of others) {
    const theirs = await sealKeyringItem(node, other, keys)
    const swapped = concatBytes(mine.subarray(0, 35), theirs.subarray(35))
    await t.rejects(openKeyringItem(node, swapped, first), { code: 'ABZU_SEAL_BROKEN' })
  }
  const crossed = concatBytes(
    mine.subarray(0, 35),
    mine.subarray(35 + entryBytes),
    mine.subarray(35, 35 + entryBytes),
  )
  t.same(await openKeyringItem(node, crossed, first), secret, 'the order is of no matter')
  const renamed = Uint8Array.from(mine)
  renamed.set(mine.subarray(35, 43), 35 + entryBytes)
  renamed.set(mine.subarray(35 + entryBytes, 43 + entryBytes), 35)
  await t.rejects(openKeyringItem(node, renamed, first), { code: 'ABZU_SEAL_BROKEN' })
})

t.test('an item of two different secrets is noticed by whoever opens the wrong one', async (t) => {
  const lie = { ...node, sha256: () => keyringIdOf(node, secret) }
  const wrong = { ...secret, secret: new Uint8Array(32).fill(8) }
  const item = await sealKeyringItem(lie, wrong, [keys[0] as Uint8Array])
  item.set(prekeyIdOf(node, keys[0] as Uint8Array), 35)
  await t.rejects(openKeyringItem(node, item, first), { code: 'ABZU_SEAL_BROKEN' })
})

t.test('I23: a bit flipped in each byte', async (t) => {
  const item = await sealKeyringItem(node, secret, [keys[0] as Uint8Array])
  const codes = new Map<string, number>()
  for (let at = 0; at < item.length; at++) {
    const changed = Uint8Array.from(item)
    changed[at] = (changed[at] as number) ^ (1 << (at % 8))
    const code = await openKeyringItem(node, changed, first).then(
      () => 'opened',
      (error: { code: string }) => error.code,
    )
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  t.equal(codes.get('opened'), undefined)
  t.same([...codes.keys()].sort(), ['ABZU_MALFORMED', 'ABZU_SEAL_BROKEN'])
  t.equal(codes.get('ABZU_MALFORMED'), 2, 'version and count; a kind may become another one')
})

t.test('what is no item', async (t) => {
  const item = await sealKeyringItem(node, secret, keys)
  for (const wrong of [
    new Uint8Array(),
    item.subarray(0, 34),
    item.subarray(0, 35),
    item.subarray(1),
    item.subarray(0, item.length - 1),
    concatBytes(item, new Uint8Array(1)),
    concatBytes(item.subarray(0, 34), new Uint8Array(1)),
  ]) {
    t.throws(() => parseKeyringItem(wrong), { code: 'ABZU_MALFORMED' })
    await t.rejects(openKeyringItem(node, wrong, first), { code: 'ABZU_MALFORMED' })
  }
})

t.test('what is not sealed', async (t) => {
  const code = 'ABZU_INVALID_ARGUMENT'
  await t.rejects(sealKeyringItem(node, secret, []), { code })
  const tooMany = Array.from({ length: keyringRecipientsMax + 1 }, () => keys[0] as Uint8Array)
  await t.rejects(sealKeyringItem(node, secret, tooMany), { code })
  const short = { ...secret, secret: new Uint8Array(31) }
  await t.rejects(sealKeyringItem(node, short, keys), { code })
  await t.rejects(sealKeyringItem(node, secret, [new Uint8Array(1216).fill(255)]), {
    code: 'ABZU_MALFORMED',
  })
})
