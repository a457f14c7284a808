/** The home of an earlier daemon, packed by scripts/golden-home.ts: everything in it opens. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { KillableDaemon, password } from '../support/killable.ts'
import { tempHome } from '../support/temp-home.ts'

t.test('I13: a household of version 1 opens for ever', { timeout: 60_000 }, async (t) => {
  const { ABZU_HOME: home } = tempHome(t)
  const packed = join(import.meta.dirname, '../vectors/golden/home-1.tgz')
  execFileSync('tar', ['-xzf', packed, '-C', home])
  const daemon = new KillableDaemon(home)
  t.teardown(() => daemon.kill())
  await daemon.start()
  const { client } = daemon
  const { accounts, peerId } = await client.status()
  t.equal(peerId, '12D3KooWRFGJfgJYpTtQbR8jqX2ne8QRXqSAakkbiFzBpryWqsmF', 'it is the same node')
  t.match(accounts, [
    { name: 'anna', role: 'admin', locked: true },
    { name: 'bert', role: 'adult', locked: true },
    { name: 'kim', role: 'child', locked: true },
  ])
  const { findings } = await client.verifyStore()
  t.match(findings, [{ check: 'store-verified', severity: 'ok' }])
  const unlock = async (account: string) =>
    client.withSession((await client.unlock({ account, password })).token)
  const [anna, bert, kim] = [await unlock('anna'), await unlock('bert'), await unlock('kim')]
  const texts: string[] = []
  for await (const { text } of bert.conversation('kim')) texts.push(text)
  t.ok(texts.includes('may I come in') && texts.includes('the door is open'), texts.join())
  t.match(await kim.contacts(), [{ name: 'bert' }])
  t.match(await anna.child('kim'), {
    hours: '07:00-20:00',
    contacts: [{ state: 'approved' }],
  })
  const { entries, missing } = await kim.audit()
  t.equal(missing, 0)
  t.match(entries, [
    { number: 1, kind: 'inspected', byName: 'anna', reason: 'to be read for ever' },
  ])
  t.match(await bert.ownLimits(), { limits: { outboxItems: 77 } })
  const range = { since: new Date(0).toISOString(), reason: 'once more' }
  const { messages } = await anna.inspectChild('kim', range)
  t.ok(messages.length >= 2, 'the shares of the escrow open as well')
  t.equal((await kim.audit()).entries.length, 2)
})
