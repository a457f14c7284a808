import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { abzu } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { fakePeerId } from '../../support/fake-services.ts'
import { tempHome } from '../../support/temp-home.ts'

t.test('holders: shown by name, chosen by name or peer id, and all again', async (t) => {
  const env = tempHome(t)
  const { close } = await startFakeDaemon(env)
  t.teardown(close)
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await abzu(env, args)
    t.strictSame({ code, stderr }, { code: 0, stderr: '' }, args.join(' '))
    return stdout
  }
  const holders = async (...args: string[]) =>
    JSON.parse(await run('account', 'holders', '--json', ...args)) as unknown
  const pw = join(env.ABZU_HOME, 'pw')
  writeFileSync(pw, 'secret\n', { mode: 0o600 })
  await run('account', 'create', 'anna', '--role', 'admin', '--password-file', pw)
  await run('peer', 'accept', 'abzu-peer:24', '--name', 'Ann')

  const all = { chosen: false, holders: [{ peerId: fakePeerId, role: 'replica', name: 'Ann' }] }
  t.strictSame(await holders(), all)
  t.match(
    await run('account', 'holders'),
    /^All that agree:\n {2}Ann {2}keeps copies {2}12D3KooWB+\n$/,
  )
  t.strictSame(await holders('--remove', 'ann'), { chosen: true, holders: [] })
  t.match(await run('account', 'holders'), /^As chosen:\n {2}nobody keeps copies\n$/)
  t.strictSame(await holders('--add', 'ann'), { ...all, chosen: true })
  t.strictSame(await holders('--add', fakePeerId), { ...all, chosen: true }, 'named once')
  t.strictSame(await holders('--remove', fakePeerId), { chosen: true, holders: [] })
  t.strictSame(await holders('--default'), all)

  const wrong: [string[], string][] = [
    [['--add', 'nobody'], 'ABZU_NOT_FOUND'],
    [['--remove', 'nobody'], 'ABZU_NOT_FOUND'],
    [['--add', 'ann', '--default'], 'ABZU_INVALID_ARGUMENT'],
    [['--account', 'berta'], 'ABZU_NOT_FOUND'],
  ]
  for (const [args, expected] of wrong) {
    const { code, stderr } = await abzu(env, ['account', 'holders', '--json', ...args])
    t.equal(code, 64)
    t.match(JSON.parse(stderr), { error: { code: expected } }, args.join(' '))
  }
  t.strictSame(await holders(), all, 'as it was')
})
