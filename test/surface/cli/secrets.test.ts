import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { spawnAbzu } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { fakeId } from '../../support/fake-services.ts'
import { tempHome } from '../../support/temp-home.ts'

const password = 'c4nary-passw0rd-of-anna'

/** The command line and the environment of a process, while it lives. */
function visibleParts(pid: number | undefined): string {
  try {
    return (
      readFileSync(`/proc/${pid}/cmdline`, 'latin1') +
      readFileSync(`/proc/${pid}/environ`, 'latin1')
    )
  } catch {
    return ''
  }
}

t.test('no secret in argv, environment, output or any file but the session', async (t) => {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  const pw = join(env.ABZU_HOME, 'pw')
  writeFileSync(pw, password, { mode: 0o600 })
  let looks = 0
  const commands = [
    ['account', 'create', 'anna', '--password-file', pw],
    ['status'],
    ['account', 'unlock', 'anna', '--password-file', pw],
    ['contact', 'link', '--json'],
    ['account', 'unlock', 'anna', '--password-file', '/nowhere'],
    ['account', 'unlock', 'nobody', '--password-file', pw],
  ]
  const session = join(env.ABZU_HOME, 'sessions', fakeId(0))
  for (const command of commands) {
    const { child, ended } = spawnAbzu(env, command)
    let seen = ''
    const look = setInterval(() => {
      seen = visibleParts(child.pid) || seen
    }, 5)
    const { stdout, stderr } = await ended
    clearInterval(look)
    if (seen !== '') looks++
    const token = readFileSync(session, 'utf8').trim()
    for (const secret of [password, token]) {
      t.notOk(seen.includes(secret), `${command.join(' ')}: argv and environment`)
      t.notOk(`${stdout}${stderr}`.includes(secret), `${command.join(' ')}: output`)
    }
  }
  t.equal(looks, commands.length, 'each process was looked at')
  for (const entry of readdirSync(env.ABZU_HOME, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const { mode } = statSync(path)
    t.equal(mode & 0o077, 0, `${entry.name} is for its owner only`)
    if (entry.isFile() && path !== pw) t.notOk(readFileSync(path, 'latin1').includes(password))
  }
})

t.test('a password on the command line is refused', async (t) => {
  const env = tempHome(t)
  for (const args of [
    ['account', 'create', 'anna', '--password', 'x'],
    ['account', 'create', 'anna', '--password=x'],
    ['account', 'unlock', 'anna', 'x'],
  ]) {
    const { code } = await spawnAbzu(env, args).ended
    t.equal(code, 64, args.join(' '))
  }
})
