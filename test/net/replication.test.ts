/** Two real daemons, one of which keeps sealed copies for the other. */

import t, { type Test } from 'tap'
import { Box, type PeerStatus } from '../support/box.ts'

/** Anna's box, and that of a friend who keeps her mail; Carl writes to her from a third. */
async function neighbours(t: Test) {
  const [home, friend, far] = [new Box(t, 'home'), new Box(t, 'friend'), new Box(t, 'far')]
  for (const box of [home, friend, far]) await box.start()
  const code = await home.invite()
  await friend.run('peer', 'accept', code)
  await home.account('anna')
  await far.account('carl')
  const { link } = await home.run<{ link: string }>('contact', 'link', '--account', 'anna')
  await far.run('contact', 'add', link, '--account', 'carl', '--as', 'anna')
  const send = async (text: string) =>
    far.run<{ state: string }>('send', '--account', 'carl', 'anna', text)
  return { home, friend, far, send }
}

const itemsOf = ({ mailboxes }: PeerStatus) => mailboxes.reduce((sum, { items }) => sum + items, 0)

t.test('what comes home is at the friend a moment later, sealed, and verified', async (t) => {
  const { home, friend, send } = await neighbours(t)
  t.match(await send('hello'), { state: 'delivered' })
  const settled = ({ mailboxes, behind, verifiedSecondsAgo }: PeerStatus) =>
    mailboxes.length === 1 && behind === 0 && verifiedSecondsAgo !== null
  const kept = await friend.peerStatus((peer) => settled(peer) && itemsOf(peer) > 6)
  t.match(kept, { name: 'home', mailboxes: [{ here: 'replica', there: 'home' }] })
  const own = await home.peerStatus(settled)
  t.match(own, { name: 'friend', usedBytes: 0, mailboxes: [{ here: 'home', there: 'replica' }] })

  await home.kill()
  await friend.kill()
  await home.start()
  await home.unlock('anna')
  t.match(await send('while the friend was away'), { state: 'delivered' })
  await friend.start()
  const again = await friend.peerStatus((peer) => settled(peer) && itemsOf(peer) > itemsOf(kept))
  t.equal(itemsOf(again), itemsOf(await home.peerStatus(settled)))

  await home.kill()
  t.match(await send('held'), { state: 'held' })
  t.match(await friend.fails('remove', 'home', '--yes'), { error: { code: 'ABZU_UNREACHABLE' } })
  await home.start()
  await home.unlock('anna')
  await friend.run('peer', 'remove', 'home', '--yes')
  t.same(await friend.peers(), [])
  const inbox = await home.lines<{ text: string }>('inbox', '--account', 'anna')
  t.same(
    inbox.map(({ text }) => text),
    ['hello', 'while the friend was away', 'held'],
    'handed back before',
  )
})
