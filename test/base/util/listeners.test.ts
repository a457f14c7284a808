import t from 'tap'
import { Listeners } from '../../../src/base/util/listeners.ts'

t.test('each listener of a key hears each call until it stops', async (t) => {
  const listeners = new Listeners()
  const heard: string[] = []
  const stopFirst = listeners.add('a', () => heard.push('first'))
  const stopSecond = listeners.add('a', () => heard.push('second'))
  listeners.add('b', () => heard.push('other'))
  listeners.tell('a')
  stopFirst()
  stopFirst()
  listeners.tell('a')
  t.strictSame(heard, ['first', 'second', 'second'])
  stopSecond()
  listeners.tell('a')
  t.equal(heard.length, 3)
  t.notOk(listeners.has('a'), 'nothing is kept of a key without listeners')
  t.ok(listeners.has('b'))
})

t.test('an old way to stop does not end a new listener', async (t) => {
  const listeners = new Listeners()
  const stopOld = listeners.add('a', () => {})
  stopOld()
  let heard = 0
  listeners.add('a', () => heard++)
  stopOld()
  listeners.tell('a')
  t.equal(heard, 1)
})
