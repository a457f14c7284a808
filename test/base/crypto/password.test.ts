import t from 'tap'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import {
  argon2Cap,
  argon2Default,
  argon2Floor,
  parseWrapped,
  passwordBytesMax,
  unwrapSecret,
  wrapSecret,
} from '../../../src/base/crypto/password.ts'
import type { Argon2Params } from '../../../src/base/crypto/platform.ts'
import { concatBytes, u32be, utf8 } from '../../../src/base/util/bytes.ts'

const node = nodePlatform()
const context = utf8('account a')
const secret = new Uint8Array(64).fill(7)

function wrap(password = 'correct horse', params: Argon2Params = argon2Floor) {
  return wrapSecret(node, password, secret, context, params)
}

t.test('the password gives the secret back, and nothing else does', async (t) => {
  const wrapped = await wrap()
  t.same(await unwrapSecret(node, 'correct horse', wrapped, context), secret)
  const code = 'ABZU_WRONG_PASSWORD'
  await t.rejects(unwrapSecret(node, 'correct hors', wrapped, context), { code })
  await t.rejects(unwrapSecret(node, 'Correct horse', wrapped, context), { code })
  await t.rejects(unwrapSecret(node, 'correct horse', wrapped, utf8('account b')), { code })
})

t.test('the default is 64 MiB and three passes', async (t) => {
  const wrapped = await wrapSecret(node, 'pw', secret, context)
  t.same(parseWrapped(wrapped).params, { memoryKiB: 65_536, passes: 3, parallelism: 1 })
  t.same(parseWrapped(wrapped).params, argon2Default)
  t.same(await unwrapSecret(node, 'pw', wrapped, context), secret)
})

t.test('noble unwraps what node:crypto wrapped', async (t) => {
  const noble = noblePlatform({ random: (length) => node.random(length) })
  t.same(await unwrapSecret(noble, 'correct horse', await wrap(), context), secret)
})

t.test('one password, however the keyboard composed it', async (t) => {
  const wrapped = await wrap('Gr\u00fc\u00dfe')
  t.same(await unwrapSecret(node, 'Gru\u0308\u00dfe', wrapped, context), secret)
})

t.test('two wraps of the same are unlike', async (t) => {
  t.notSame(await wrap(), await wrap())
})

t.test('changed bytes', async (t) => {
  const wrapped = await wrap()
  for (const at of [10, 25, 26, 49, 50, wrapped.length - 1]) {
    const changed = Uint8Array.from(wrapped)
    changed[at] = (changed[at] as number) ^ 1
    await t.rejects(unwrapSecret(node, 'correct horse', changed, context), {
      code: 'ABZU_WRONG_PASSWORD',
    })
  }
})

t.test('stored parameters are checked before any work', async (t) => {
  const wrapped = await wrap()
  const lazy = {
    ...node,
    argon2id(): never {
      throw new Error('work was done')
    },
  }
  const stored = (memoryKiB: number, passes: number, parallelism: number) =>
    concatBytes(
      Uint8Array.of(1),
      u32be(memoryKiB),
      u32be(passes),
      Uint8Array.of(parallelism),
      wrapped.subarray(10),
    )
  for (const [what, wrong] of Object.entries({
    'too little memory': stored(argon2Floor.memoryKiB - 1, 2, 1),
    'too much memory': stored(argon2Cap.memoryKiB + 1, 2, 1),
    'absurd memory': stored(2 ** 32 - 1, 2, 1),
    'too few passes': stored(argon2Floor.memoryKiB, 1, 1),
    'too many passes': stored(argon2Floor.memoryKiB, argon2Cap.passes + 1, 1),
    'no lane': stored(argon2Floor.memoryKiB, 2, 0),
    'too many lanes': stored(argon2Floor.memoryKiB, 2, argon2Cap.parallelism + 1),
    'another version': concatBytes(Uint8Array.of(2), wrapped.subarray(1)),
    'cut short': wrapped.subarray(0, 65),
    'far too long': concatBytes(wrapped, new Uint8Array(70_000)),
    nothing: new Uint8Array(),
  })) {
    await t.rejects(unwrapSecret(lazy, 'pw', wrong, context), { code: 'ABZU_MALFORMED' }, what)
  }
  for (const params of [
    { ...argon2Floor, memoryKiB: 1024 },
    { ...argon2Floor, passes: 1.5 },
    { ...argon2Floor, parallelism: Number.NaN },
  ]) {
    await t.rejects(wrapSecret(lazy, 'pw', secret, context, params), {
      code: 'ABZU_INVALID_ARGUMENT',
    })
  }
})

t.test('a password that is none', async (t) => {
  const code = 'ABZU_INVALID_ARGUMENT'
  await t.rejects(wrap(''), { code })
  await t.rejects(wrap('x'.repeat(passwordBytesMax + 1)), { code })
  t.ok(await wrap('x'.repeat(passwordBytesMax)))
})
