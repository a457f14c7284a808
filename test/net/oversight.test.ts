/** A Child is looked after at a real daemon: by the command line, and by whoever calls the API without it. */

import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import t from 'tap'
import { Box } from '../support/box.ts'

interface Audit {
  readonly entries: readonly {
    readonly kind: string
    readonly byName: string
    readonly reason?: string
  }[]
  readonly missing: number
}

/** The status of a call with the session that the command line keeps for an account. */
async function statusOf(box: Box, id: string, path: string, body: unknown): Promise<number> {
  const token = readFileSync(box.path(`sessions/${id}`), 'utf8').trim()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  request({
    socketPath: box.path('api.sock'),
    path,
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  })
    .on('response', (response) => resolve(response.resume().statusCode ?? 0))
    .on('error', reject)
    .end(JSON.stringify(body))
  return promise
}

t.test(
  'an Admin looks after it was written down, an Adult is refused and written down',
  async (t) => {
    const box = new Box(t, 'home')
    await box.start()
    const anna = await box.account('anna')
    const bert = await box.account('bert', 'adult')
    const kim = await box.account('kim', 'child')
    const as = (name: string) => ['--account', name]

    const { link } = await box.run<{ link: string }>('contact', 'link', ...as('anna'))
    await box.run('oversight', 'approve', 'kim', anna.id, ...as('bert'))
    await box.run('contact', 'add', link, '--as', 'mum', ...as('kim'))
    await box.run('send', 'mum', 'are you there', ...as('kim'))

    const reason = ['--since', '2d', '--reason', 'I worry']
    const refused = await box.ends('oversight', 'inspect', 'kim', ...as('bert'), ...reason)
    t.match(refused, { code: 77, error: { code: 'ABZU_DENIED' } })
    const path = `/v1/oversight/${kim.id}/inspect`
    const asked = { since: new Date(0).toISOString(), reason: 'I worry too' }
    t.equal(await statusOf(box, bert.id, path, asked), 403)
    t.equal(await statusOf(box, kim.id, path, asked), 403, 'nor does the Child look at itself')

    const inspect = ['oversight', 'inspect', 'kim', ...as('anna'), ...reason]
    const told = await box.run<{ messages: { text: string }[] }>(...inspect)
    t.same(
      told.messages.map(({ text }) => text),
      ['are you there'],
    )

    const { entries, missing } = await box.run<Audit>('account', 'audit', ...as('kim'))
    t.equal(missing, 0)
    t.match(entries[0], { kind: 'refused', byName: 'bert' })
    t.match(entries.at(-1), { kind: 'inspected', byName: 'anna', reason: 'I worry' })
  },
)

t.test('when a Child may write, and with whom', async (t) => {
  const box = new Box(t, 'home')
  await box.start()
  const anna = await box.account('anna')
  await box.account('kim', 'child')
  const as = (name: string) => ['--account', name]
  const { link } = await box.run<{ link: string }>('contact', 'link', ...as('anna'))
  const send = (text: string) => box.ends('send', 'mum', text, ...as('kim'))
  t.match(await box.run('contact', 'add', link, '--as', 'mum', ...as('kim')), { name: 'mum' })
  const before = await box.lines<{ text: string }>('inbox', ...as('anna'))
  t.same(before, [], 'nothing passes before it is approved')
  await box.run('oversight', 'approve', 'kim', anna.id, ...as('anna'))
  t.match(await send('hello'), { code: 0 })
  const isMorning = new Date().getHours() < 12
  const hours = isMorning ? '14:00-15:00' : '02:00-03:00'
  await box.run('oversight', 'hours', 'kim', hours, ...as('anna'))
  t.match(await send('too late'), { code: 77, error: { code: 'ABZU_DENIED' } }, hours)
  await box.run('oversight', 'hours', 'kim', 'off', ...as('anna'))
  await box.run('oversight', 'freeze', 'kim', ...as('anna'))
  t.match(await send('let me out'), { code: 77, error: { code: 'ABZU_DENIED' } })
  await box.run('oversight', 'thaw', 'kim', ...as('anna'))
  t.match(await send('thank you'), { code: 0 })
  await box.run('oversight', 'deny', 'kim', anna.id, ...as('anna'))
  t.match(await send('and now'), { code: 77, error: { code: 'ABZU_DENIED' } })
})
