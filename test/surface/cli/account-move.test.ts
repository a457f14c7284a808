import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { abzu } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { tempHome } from '../../support/temp-home.ts'

t.test('move: where the account lives now, for people and for programs', async (t) => {
  const env = tempHome(t)
  const { close } = await startFakeDaemon(env)
  t.teardown(close)
  const pw = join(env.ABZU_HOME, 'pw')
  writeFileSync(pw, 'secret\n', { mode: 0o600 })
  for (const name of ['anna', 'berta']) {
    await abzu(env, ['account', 'create', name, '--role', 'admin', '--password-file', pw])
  }
  const move = (...args: string[]) => abzu(env, ['account', 'move', ...args])
  const told = await move('friend', '--account', 'anna', '--json')
  t.strictSame([told.code, told.stderr], [0, ''])
  t.strictSame(JSON.parse(told.stdout), { to: 'friend', name: null, isComplete: true })
  const again = await move('friend', '--account', 'anna', '--json')
  t.match(JSON.parse(again.stderr), { error: { code: 'ABZU_LOCKED' } })
  t.match(
    (await move('friend', '--account', 'berta')).stdout,
    /lives at friend now.*\nEverything is/,
  )
  t.equal((await move('--json')).code, 64)
})
