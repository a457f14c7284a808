import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { abzu, type Ended } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { fakeId } from '../../support/fake-services.ts'
import { tempHome } from '../../support/temp-home.ts'

const words = `${'abandon '.repeat(11)}about`
const text = `abzushare1${'q'.repeat(85)}`

/** A home with the unlocked account anna, who has three contacts and keeps a share of one. */
async function home(t: Test) {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  const file = (name: string, content: string): string => {
    const path = join(env.ABZU_HOME, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
  const create = ['account', 'create', 'anna', '--password-file', file('pw', 'secret')]
  t.equal((await abzu(env, create)).code, 0)
  const member = daemon.accounts.member('anna')
  for (const [n, as] of ['bob', 'carl', 'dora'].entries()) {
    await member.contacts.add({ link: `abzu:${fakeId(n + 1)}#x`, as })
  }
  const run = (...args: string[]): Promise<Ended> => abzu(env, ['account', ...args])
  return { env, member, file, run }
}

t.test('words are split among contacts', async (t) => {
  const { member, file, run } = await home(t)
  const path = file('words', `${words}\n`)
  const args = ['share-words', 'bob', 'carl', 'dora', '--need', '2', '--words-file', path]
  const { code, stdout } = await run(...args, '--json')
  t.equal(code, 0)
  t.match(JSON.parse(stdout), {
    need: 2,
    shares: [
      { name: 'bob', id: fakeId(1), msgId: String, state: 'delivered' },
      { name: 'carl' },
      { name: 'dora' },
    ],
  })
  t.strictSame(member.given, [{ words: [words], need: 2, to: ['bob', 'carl', 'dora'] }])
  const told = await run(...args)
  t.match(told.stdout, /^bob {2}delivered {2}a+1\ncarl/)
  t.match(told.stdout, /Any 2 of them/)
  for (const wrong of [
    ['share-words', 'bob', 'carl', '--words-file', path],
    ['share-words', 'bob', 'carl', '--need', '1', '--words-file', path],
    ['share-words', 'bob', 'carl', '--need', '17', '--words-file', path],
    ['share-words', 'bob', 'nobody', '--need', '2', '--words-file', path],
    ['share-words', '--need', '2', '--words-file', path],
    ['share-words', 'bob', '--need', '2', '--words-file', path],
    ['share-words', 'bob', 'carl', '--need', '2'],
  ]) {
    t.equal((await run(...wrong, '--json')).code, 64, wrong.join(' '))
  }
  const others = file('others', words.replace('about', 'abandon'))
  t.equal((await run('share-words', 'bob', 'carl', '--need', '2', '--words-file', others)).code, 65)
  t.equal(member.given.length, 2)
})

t.test('shares that are kept, and told', async (t) => {
  const { member, run } = await home(t)
  t.equal((await run('shares')).stdout, 'no share is kept here\n')
  const kept = { id: fakeId(1), name: 'bob', need: 2, of: 3, number: 1 }
  const receivedAt = '2026-11-05T12:00:00.000Z'
  member.keptShares.push({ ...kept, receivedAt, text })
  const listed = await run('shares')
  t.match(listed.stdout, /^bob {2}share 1 of 3, 2 are needed, since 2026-11-05T/)
  t.notMatch(listed.stdout, text, 'a list does not tell it')
  const json = await run('shares', '--json')
  t.strictSame(JSON.parse(json.stdout), { shares: [{ ...kept, receivedAt }] })
  const shown = await run('share-show', 'bob', '--json')
  t.strictSame(JSON.parse(shown.stdout), { shares: [{ ...kept, receivedAt, text }] })
  const told = await run('share-show', 'bob')
  t.ok(told.stdout.includes(`  ${text.replaceAll(/(.{5})(?=.)/g, '$1 ')}\n`))
  t.match(told.stdout, /█|▀|▄/, 'as a picture too')
  t.equal((await run('share-show', 'nobody')).code, 64)
  t.equal((await run('share-show')).code, 64)
})
