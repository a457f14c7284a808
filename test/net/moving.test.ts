/** An account moves to a paired node, by real daemons. */

import t from 'tap'
import { Box } from '../support/box.ts'

interface Accounts {
  readonly accounts: readonly { readonly name: string; readonly movedTo?: string }[]
}

t.test('to a friend, and everything goes along', async (t) => {
  const names = ['home', 'friend', 'far']
  const [home, friend, far] = names.map((name) => new Box(t, name)) as [Box, Box, Box]
  const { peerId } = await home.start()
  const next = await friend.start()
  await far.start()
  const { id } = await home.account('anna')
  await far.account('carl')
  const { link } = await home.run<{ link: string }>('contact', 'link', '--account', 'anna')
  await far.run('contact', 'add', link, '--account', 'carl', '--as', 'anna')
  await far.run('send', '--account', 'carl', 'anna', 'hello')
  const hello = await home.lines<{ from: string }>('inbox', '--account', 'anna')
  await home.run('contact', 'add', hello[0]!.from, '--account', 'anna', '--as', 'carl')

  const to = next.addresses[0] as string
  await t.rejects(home.run('account', 'move', to, '--account', 'anna'), /no paired node/)
  await friend.run('peer', 'accept', await home.invite())
  await far.kill()
  await home.run('send', '--account', 'anna', 'carl', 'under way')
  t.strictSame(await home.run('account', 'move', to, '--account', 'anna'), {
    to: next.peerId,
    name: 'friend',
    isComplete: true,
  })

  const listed = async (box: Box) => (await box.run<Accounts>('account', 'list')).accounts
  t.match(await listed(home), [{ id, name: 'anna', locked: true, movedTo: next.peerId }])
  await t.rejects(home.unlock('anna'), /ABZU_ACCOUNT_MOVED/)
  t.match(await listed(friend), [{ id, name: 'anna', locked: true, movedTo: undefined }])
  await friend.unlock('anna')
  const texts = async (box: Box, account: string) =>
    (await box.lines<{ text: string }>('inbox', '--account', account)).map(({ text }) => text)
  t.same(await texts(friend, 'anna'), ['hello'])

  await far.start()
  await far.unlock('carl')
  const sent = await far.run('send', '--account', 'carl', 'anna', 'where are you')
  t.match(sent, { state: /^(delivered|held|queued)$/ })
  const eventually = async (box: Box, account: string, wanted: readonly string[]) => {
    for (let tries = 0; tries < 100; tries++) {
      if ((await texts(box, account)).length >= wanted.length) break
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    t.same((await texts(box, account)).toSorted(), wanted.toSorted())
  }
  await eventually(friend, 'anna', ['hello', 'where are you'])
  await eventually(far, 'carl', ['under way'])
  const { holders } = await friend.run<{ holders: { peerId: string; role: string }[] }>(
    'account',
    'holders',
    '--account',
    'anna',
  )
  t.match(holders, [{ peerId, role: /replica|former/ }], 'the old home hands on, or keeps a copy')
})
