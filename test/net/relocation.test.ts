/** A letter to a home that is gone for good, by real daemons: who sent it learns that it came to where the account
 *  lives now, though nobody there has written since. */

import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { Box } from '../support/box.ts'

interface Report {
  readonly state: string
  readonly history: readonly { readonly state: string; readonly by: string }[]
}

t.test('held by a friend, delivered to the home that was recovered elsewhere', async (t) => {
  const names = ['home', 'friend', 'far', 'attic']
  const [home, friend, far, attic] = names.map((name) => new Box(t, name)) as [Box, Box, Box, Box]
  await home.start()
  const kept = await friend.start()
  await far.start()
  await friend.run('peer', 'accept', await home.invite())
  const { words } = await home.account('anna')
  await far.account('carl')
  const { link } = await home.run<{ link: string }>('contact', 'link', '--account', 'anna')
  await far.run('contact', 'add', link, '--account', 'carl', '--as', 'anna')
  const send = async (text: string) =>
    far.run<{ msgId: string; state: string }>('send', '--account', 'carl', 'anna', text)
  t.match(await send('hello'), { state: 'delivered' })
  await home.peerStatus(
    ({ behind, verifiedSecondsAgo }) => behind === 0 && verifiedSecondsAgo !== null,
  )

  await home.kill()
  const held = await send('are you all right?')
  t.match(held, { state: 'held' })
  await far.kill()
  const { peerId } = await attic.start()
  await attic.recover('anna', words, kept.addresses[0] as string)

  await far.start()
  const report = async () => far.run<Report>('message', 'show', held.msgId, '--account', 'carl')
  await far.unlock('carl')
  for (let tries = 0; tries < 600 && (await report()).state === 'held'; tries++) await pause(100)
  const { history } = await report()
  t.match(history, [
    { state: 'queued' },
    { state: 'held', by: kept.peerId },
    { state: 'delivered', by: peerId },
  ])

  const texts = async () =>
    (await attic.lines<{ text: string }>('inbox', '--account', 'anna')).map(({ text }) => text)
  t.same(await texts(), ['hello', 'are you all right?'], 'each once')
  t.match(await send('so you live there now'), { state: 'delivered' }, 'straight there')
  t.same(await texts(), ['hello', 'are you all right?', 'so you live there now'])
})
