import t from 'tap'
import { abzu, spawnAbzu } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { tempHome } from '../../support/temp-home.ts'

t.test('--wait: until the daemon answers', async (t) => {
  const env = tempHome(t)
  const waiting = abzu(env, ['status', '--wait', '20', '--json'])
  t.equal((await abzu(env, ['status', '--json'])).code, 69, 'not yet')
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  const { code, stdout } = await waiting
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { pid: process.pid })
})

t.test('--wait: and no longer', async (t) => {
  const started = Date.now()
  const { code, stderr } = await abzu(tempHome(t), ['status', '--wait', '1', '--json'])
  t.equal(code, 69)
  t.match(JSON.parse(stderr), { error: { code: 'ABZU_NO_DAEMON' } })
  const tookMs = Date.now() - started
  t.ok(tookMs >= 1000 && tookMs < 5000, `${tookMs} ms`)
})

t.test('--wait in a process of its own: nothing else keeps it alive', async (t) => {
  const env = tempHome(t)
  const { ended } = spawnAbzu(env, ['status', '--wait', '1', '--json'])
  t.equal((await ended).code, 69)
})

t.test('a command right behind `start &` waits a moment for the daemon', async (t) => {
  const env = tempHome(t)
  const { ended } = spawnAbzu(env, ['account', 'list', '--json'])
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  t.equal((await ended).code, 0)
})
