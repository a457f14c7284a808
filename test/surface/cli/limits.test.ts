import t, { type Test } from 'tap'
import { parseLimits, personWords, wordOf } from '../../../src/surface/cli/limit-words.ts'
import { abzu } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { fakeId } from '../../support/fake-services.ts'
import { tempHome } from '../../support/temp-home.ts'

async function daemon(t: Test) {
  const env = tempHome(t)
  const services = await startFakeDaemon(env)
  t.teardown(services.close)
  for (const name of ['anna', 'berta']) {
    await services.accounts.create({ name, role: 'admin', password: Buffer.from('pw') })
  }
  await services.federation.accept('abzu-peer:3', { name: 'ben', quotaBytes: 100 })
  const run = async (...args: string[]) => abzu(env, ['limits', ...args])
  return { env, services, run }
}

t.test('shows use against limit, for people and for programs', async (t) => {
  const { run } = await daemon(t)
  const { code, stdout } = await run()
  t.equal(code, 0)
  t.match(stdout, /^anna {2}admin\n {2}sending {9}5\/s, 1 of 50 at once\n/)
  t.match(stdout, /\n {2}mail-bytes {6}5 B of 500 B\n/)
  t.match(stdout, /\nevery child\n {2}sending {9}5\/s, 50 at once\n/)
  t.match(stdout, /\nnode, everybody together\n[^]* {2}household-bytes 12 B of 5 KB\n/)
  t.match(stdout, /\npeer ben {2}3 B of 100 B kept for it {2}12D3KooWB+\n$/)
  const json = JSON.parse((await run('--json')).stdout) as object
  t.match(json, { people: [{ name: 'anna', use: { mailBytes: 5 } }, {}], peopleCount: 2 })
})

t.test('sets those of a person, a role, the node and a peer', async (t) => {
  const { run } = await daemon(t)
  const set = async (...args: string[]) => {
    const { code, stdout, stderr } = await run('set', ...args, '--json')
    t.strictSame({ code, stderr }, { code: 0, stderr: '' }, args.join(' '))
    return JSON.parse(stdout) as unknown
  }
  t.match(await set('berta', 'mail-bytes=1GB', 'sending=20/s'), {
    name: 'berta',
    limits: { mailBytes: 1e9, sending: { perSecond: 20, burst: 200 } },
  })
  t.match(await set(fakeId(1), 'sending=0.5/s,3', 'mail-bytes=default'), {
    name: 'berta',
    limits: { mailBytes: 500, sending: { perSecond: 0.5, burst: 3 } },
    set: ['sending'],
  })
  t.match(await set('child', 'outbox-items=55'), { role: 'child', limits: { outboxItems: 55 } })
  t.match(await set('node', 'household-bytes=2TB'), { limits: { householdBytes: 2e12 } })
  t.match(await set('ben', 'quota-bytes=5GB'), { name: 'ben', quotaBytes: 5e9 })
  const text = (await run('set', 'berta', 'vault-items=9')).stdout
  t.match(text, /^berta {2}admin\n[^]* {2}vault-items {5}6 of 9, set\n/)
})

t.test('what is no limit is said, and nothing is done', async (t) => {
  const { run } = await daemon(t)
  const refused = [
    ['nobody', 'mail-bytes=1GB'],
    ['berta', 'mailBytes=1GB'],
    ['berta', 'mail-bytes'],
    ['berta', 'mail-bytes=much'],
    ['berta', 'mail-bytes=1GB', 'mail-bytes=2GB'],
    ['berta', 'sending=20'],
    ['berta', 'sending=20/s,'],
    ['berta', 'sending=-1/s'],
    ['berta', 'outbox-items=1.5'],
    ['berta', 'household-bytes=1GB'],
    ['berta', 'to-string=1'],
    ['node', 'mail-bytes=1GB'],
    ['ben', 'quota-bytes=default'],
    ['berta'],
  ]
  for (const args of refused) t.equal((await run('set', ...args)).code, 64, args.join(' '))
  t.equal((await run('child')).code, 64)
  const json = JSON.parse((await run('--json')).stdout) as { people: { set: string[] }[] }
  t.strictSame(
    json.people.flatMap(({ set }) => set),
    [],
  )
})

t.test('every name that is shown can be set', async (t) => {
  for (const [name, kind] of Object.entries(personWords)) {
    const value = kind === 'rate' ? '7/s,9' : '7'
    const wanted = kind === 'rate' ? { perSecond: 7, burst: 9 } : 7
    t.strictSame(parseLimits(personWords, [`${wordOf(name)}=${value}`]), { [name]: wanted })
  }
})
