/** An account leaves one daemon in a file and comes to another: real processes, real disks, the command line. */

import { spawnSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { Box } from '../support/box.ts'

interface Text {
  readonly text: string
}
interface Account {
  readonly id: string
  readonly name: string
  readonly role: string
  readonly locked: boolean
  readonly movedTo?: string
}

/** Debian's, where it is installed. */
const stock = 'age'
const filePassword = 'of the file'

function secret(box: Box, name: string, content: string): string {
  const path = box.path(name)
  writeFileSync(path, `${content}\n`, { mode: 0o600 })
  return path
}

async function accountOf(box: Box): Promise<Account> {
  const { accounts } = await box.run<{ accounts: Account[] }>('account', 'list')
  if (!accounts[0]) throw new Error('no account')
  return accounts[0]
}

async function texts(box: Box): Promise<string[]> {
  return (await box.lines<Text>('inbox')).map(({ text }) => text)
}

/** Resolves once `isSo`. */
async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await isSo()) return
    await pause(50)
  }
  throw new Error(`never: ${what}`)
}

/** Alice at home, Bob elsewhere, and what they wrote. */
async function friends(t: Test) {
  const home = new Box(t, 'home')
  const bob = new Box(t, 'bob')
  await Promise.all([home.start(), bob.start()])
  await home.account('alice')
  await bob.account('bob')
  const { link } = await bob.run<{ link: string }>('contact', 'link')
  await home.run('contact', 'add', link, '--as', 'bob')
  await home.run('send', 'bob', 'from home')
  await until(async () => (await texts(bob)).length === 1, 'the first letter')
  const [first] = await bob.lines<{ from: string }>('inbox')
  await bob.run('contact', 'add', first?.from ?? '', '--as', 'alice')
  await bob.run('send', 'alice', 'to home')
  await until(async () => (await texts(home)).length === 1, 'the answer')
  return { home, bob }
}

t.test('a file that age opens, another node, and the old home freezes at once', async (t) => {
  const { home, bob } = await friends(t)
  const before = await accountOf(home)
  const password = secret(home, 'file-password', filePassword)
  const file = home.path('alice.age')
  await home.run('account', 'export', '--to', file, '--password-file', password)
  t.equal(statSync(file).mode & 0o777, 0o600)
  await bob.run('send', 'alice', 'after the file was made')

  const next = new Box(t, 'next')
  const { peerId } = await next.start()
  const own = secret(next, 'own', 'a new password')
  const imported = await next.run<Account & { isUpToDate: boolean; items: number }>(
    'account',
    'import',
    file,
    '--password-file',
    own,
    '--file-password-file',
    password,
  )
  t.match(imported, { id: before.id, name: 'alice', role: 'admin', isUpToDate: true })
  t.ok(imported.items > 10)
  t.same((await texts(next)).toSorted(), ['after the file was made', 'to home'])
  await until(async () => (await accountOf(home)).movedTo !== undefined, 'frozen')
  t.match(await accountOf(home), { movedTo: peerId, locked: true })

  await next.run('send', 'bob', 'from the new home')
  await until(async () => (await texts(bob)).length === 2, 'a letter from the new home')
  await bob.run('send', 'alice', 'to the new home')
  await until(async () => (await texts(next)).length === 3, 'and to it')
  await next.kill()
  await next.start()
  await next.run('account', 'unlock', 'alice', '--password-file', own)
  t.equal((await texts(next)).length, 3, 'it is there for good')
})

t.test('the home burnt down, and nobody else is known', async (t) => {
  const { home, bob } = await friends(t)
  await bob.kill()
  await home.run('send', 'bob', 'under way')
  const identity = await generateIdentity()
  const recipient = await identityToRecipient(identity)
  const file = home.path('alice.age')
  await home.run('account', 'export', '--to', file, '--recipient', recipient)
  await home.kill()

  const next = new Box(t, 'next')
  await next.start()
  const own = secret(next, 'own', 'a new password')
  const key = secret(next, 'key', identity)
  const imported = await next.run<Account & { isUpToDate: boolean }>(
    'account',
    'import',
    file,
    '--password-file',
    own,
    '--file-identity',
    key,
  )
  t.match(imported, { name: 'alice', isUpToDate: false })
  await bob.start()
  await bob.unlock('bob')
  await until(async () => (await texts(bob)).includes('under way'), 'what was under way')
  t.same(await texts(bob), ['from home', 'under way'])
})

t.test('stock age opens it', async (t) => {
  if (spawnSync(stock, ['--version']).status !== 0) return t.comment('no age on this machine')
  const box = new Box(t, 'box')
  await box.start()
  await box.account('alice')
  const identity = await generateIdentity()
  const file = box.path('alice.age')
  const recipient = await identityToRecipient(identity)
  await box.run('account', 'export', '--to', file, '--recipient', recipient)
  const key = secret(box, 'key', identity)
  const { status, stdout } = spawnSync(stock, ['-d', '-i', key, file])
  t.equal(status, 0)
  t.match(stdout.toString('latin1'), /^abzu-export\/1\n/)
})
