import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { concatBytes, utf8 } from '../../../src/base/util/bytes.ts'
import { apiLimits } from '../../../src/surface/api/api-limits.ts'
import { Uploads } from '../../../src/surface/api/uploads.ts'
import { ManualTime } from '../../support/manual-time.ts'

function opened(t: Test) {
  const dir = join(t.testdir(), 'uploads')
  const time = new ManualTime()
  const { random } = nodePlatform()
  return { dir, time, uploads: new Uploads({ random, scheduler: time }, dir) }
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return concatBytes(...parts)
}

t.test('piece by piece, and read twice', async (t) => {
  const { dir, uploads } = opened(t)
  const id = await uploads.begin()
  t.match(id, /^[0-9a-f]{32}$/)
  t.equal(await uploads.append(id, { at: 0, piece: utf8('one ') }), 4)
  t.equal(await uploads.append(id, { at: 4, piece: utf8('two') }), 7)
  t.equal(await uploads.append(id, { at: 4, piece: utf8('two') }), 7, 'again: its answer was lost')
  t.equal(statSync(dir).mode & 0o777, 0o700)
  t.equal(statSync(join(dir, id)).mode & 0o777, 0o600)
  const read = await uploads.take(id, async (file) => [await all(file()), await all(file())])
  t.same(read, [utf8('one two'), utf8('one two')])
  t.same(readdirSync(dir), [], 'it is gone')
  await t.rejects(
    uploads.take(id, async () => 1),
    { code: 'ABZU_NOT_FOUND' },
  )
})

t.test('what does not fit', async (t) => {
  const { uploads } = opened(t)
  const id = await uploads.begin()
  const piece = utf8('piece')
  await t.rejects(uploads.append(id, { at: 1, piece }), { code: 'ABZU_INVALID_ARGUMENT' })
  await t.rejects(uploads.append('../../x', { at: 0, piece }), { code: 'ABZU_NOT_FOUND' })
  await uploads.begin()
  await t.rejects(uploads.begin(), { code: 'ABZU_OVERLOADED' }, 'one too many')
  await uploads.drop(id)
  await uploads.begin()
})

t.test('it goes whatever becomes of it, and two do not use it at once', async (t) => {
  const { dir, uploads } = opened(t)
  const id = await uploads.begin()
  const boom = new Error('boom')
  await t.rejects(
    uploads.take(id, async () => {
      await t.rejects(uploads.append(id, { at: 0, piece: utf8('x') }), { code: 'ABZU_NOT_FOUND' })
      throw boom
    }),
    boom,
  )
  t.same(readdirSync(dir), [])
})

t.test('nobody goes on with it', async (t) => {
  const { dir, time, uploads } = opened(t)
  const id = await uploads.begin()
  await time.advance(apiLimits.uploadIdleMs - 1)
  await uploads.append(id, { at: 0, piece: utf8('x') })
  await time.advance(apiLimits.uploadIdleMs - 1)
  t.ok(existsSync(join(dir, id)))
  await time.advance(2)
  await t.rejects(uploads.append(id, { at: 1, piece: utf8('x') }), { code: 'ABZU_NOT_FOUND' })
})

t.test('what an earlier daemon has left is removed', async (t) => {
  const { dir, uploads } = opened(t)
  mkdirSync(dir)
  writeFileSync(join(dir, 'left'), 'x')
  const id = await uploads.begin()
  t.same(readdirSync(dir), [id])
})

t.test('a disk that does not take it', async (t) => {
  const { random } = nodePlatform()
  const blocked = t.testdir({ file: 'not a directory' })
  const uploads = new Uploads({ random, scheduler: new ManualTime() }, join(blocked, 'file', 'x'))
  await t.rejects(uploads.begin(), { code: 'ABZU_IO' })
})
