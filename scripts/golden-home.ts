/**
 * `npm run golden-home -- FILE`: writes the home of a daemon of this version, packed, in which a household has lived:
 * what every later version has to open. Once for each version that changes what is stored.
 * @module
 */

import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { KillableDaemon, password } from '../test/support/killable.ts'

const [file] = process.argv.slice(2)
if (file === undefined) {
  process.stderr.write('usage: npm run golden-home -- FILE\n')
  process.exit(64)
}
const root = await mkdtemp(join(tmpdir(), 'abzu-golden-'))
const daemon = new KillableDaemon(await mkdtemp(join(root, 'home')))
try {
  await daemon.start()
  const { client } = daemon
  const made = async (name: string, role: 'admin' | 'adult' | 'child') => {
    const { id, token } = await client.createAccount({ name, role, password })
    return { id, client: client.withSession(token) }
  }
  const anna = await made('anna', 'admin')
  const bert = await made('bert', 'adult')
  const kim = await made('kim', 'child')
  await anna.client.decideContact('kim', { contact: bert.id, state: 'approved' })
  await kim.client.addContact({ link: await bert.client.createLink({}), as: 'bert' })
  await kim.client.send({ to: 'bert', text: 'may I come in', waitMs: 10_000 })
  await bert.client.addContact({ link: kim.id, as: 'kim' })
  await bert.client.send({ to: 'kim', text: 'the door is open', waitMs: 10_000 })
  await anna.client.ruleChild('kim', { hours: '07:00-20:00' })
  const range = {
    since: new Date(Date.now() - 3_600_000).toISOString(),
    reason: 'to be read for ever',
  }
  await anna.client.inspectChild('kim', range)
  await anna.client.changeLimits({ account: bert.id, limits: { outboxItems: 77 } })
  // what an entry came in expires: it is in the vault once the Child has seen it
  for (let tries = 0; (await kim.client.audit()).entries.length === 0 && tries < 100; tries++) {
    await new Promise((done) => setTimeout(done, 100))
  }
  for (const person of [anna, bert, kim]) await person.client.lock()
  await client.stop()
  await daemon.gone()
  execFileSync('tar', [
    '-czf',
    resolve(file),
    '--exclude=*.sock',
    '--exclude=ballast*',
    '-C',
    daemon.home,
    '.',
  ])
} finally {
  await daemon.kill()
  await rm(root, { recursive: true, force: true })
}
