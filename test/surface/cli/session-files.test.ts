import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SessionFiles } from '../../../src/surface/cli/session-files.ts'
import { fakeId } from '../../support/fake-services.ts'

const id = fakeId(1)

t.test('a token is kept for its owner only, whatever the umask', async (t) => {
  const umask = process.umask(0)
  t.teardown(() => void process.umask(umask))
  const dir = join(t.testdir(), 'sessions')
  const files = new SessionFiles(dir)
  t.equal(await files.load(id), undefined)
  await files.save(id, 'first')
  await files.save(id, 'second')
  t.equal(await files.load(id), 'second')
  t.equal(statSync(dir).mode & 0o777, 0o700)
  t.equal(statSync(join(dir, id)).mode & 0o777, 0o600)
  t.strictSame(readdirSync(dir), [id], 'nothing is left beside it')
  await files.remove(id)
  await files.remove(id)
  t.equal(await files.load(id), undefined)
})

t.test('a wide directory is narrowed, a wide file refused', async (t) => {
  const dir = join(t.testdir(), 'sessions')
  mkdirSync(dir)
  chmodSync(dir, 0o755)
  const files = new SessionFiles(dir)
  await files.save(id, 'token')
  t.equal(statSync(dir).mode & 0o777, 0o700)
  for (const mode of [0o640, 0o604, 0o620, 0o666]) {
    chmodSync(join(dir, id), mode)
    await t.rejects(files.load(id), { code: 'ABZU_INSECURE_MODE' }, mode.toString(8))
  }
})

t.test('what an interrupted save left is written over', async (t) => {
  const dir = t.testdir()
  writeFileSync(join(dir, `${id}.${process.pid}.0.tmp`), 'half', { mode: 0o644 })
  await new SessionFiles(dir).save(id, 'token')
  t.equal(readFileSync(join(dir, id), 'utf8'), 'token\n')
  t.equal(statSync(join(dir, id)).mode & 0o777, 0o600)
  t.strictSame(readdirSync(dir), [id])
})

t.test('saves at the same time leave one of them, whole', async (t) => {
  const dir = t.testdir()
  const files = new SessionFiles(dir)
  const tokens = Array.from({ length: 20 }, (_, index) => `token-${index}`.repeat(5))
  await Promise.all(tokens.map((token) => files.save(id, token)))
  t.ok(tokens.includes((await files.load(id)) ?? ''))
})

t.test('what is no account id is no file name', async (t) => {
  const dir = t.testdir({ sessions: {} })
  const files = new SessionFiles(join(dir, 'sessions'))
  for (const bad of ['../abzu1q', 'abzu1/../../x', '', 'abzu1Q', 'abzu1q\0']) {
    await t.rejects(files.save(bad, 'x'), { message: /safe file name/ }, JSON.stringify(bad))
  }
  t.strictSame(readdirSync(dir), ['sessions'])
  t.notOk(existsSync(join(dir, 'abzu1q')))
})

t.test('a directory that cannot be', async (t) => {
  const dir = t.testdir({ file: '' })
  await t.rejects(new SessionFiles(join(dir, 'file')).save(id, 'x'), { code: 'ABZU_IO' })
  await t.rejects(new SessionFiles(join(dir, 'file')).load(id), { code: 'ABZU_IO' })
})
