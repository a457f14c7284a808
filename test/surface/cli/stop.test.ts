import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { abzu } from '../../support/cli.ts'
import { tempHome } from '../../support/temp-home.ts'

const fakeDaemon = join(import.meta.dirname, '../../support/fake-daemon.ts')

t.test('stop returns when the process is gone', async (t) => {
  const env = tempHome(t)
  const daemon = spawn(process.execPath, [fakeDaemon], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => daemon.kill('SIGKILL'))
  const ended = once(daemon, 'exit')
  await once(daemon.stdout, 'data')
  const { code, stdout } = await abzu(env, ['stop', '--json'])
  t.equal(code, 0)
  t.strictSame(JSON.parse(stdout), { pid: daemon.pid, stopped: true })
  t.strictSame(await ended, [0, null])
  t.equal((await abzu(env, ['stop'])).code, 69, 'there is nothing to stop any more')
})
