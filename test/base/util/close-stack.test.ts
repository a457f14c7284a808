import t from 'tap'
import { CloseStack } from '../../../src/base/util/close-stack.ts'

function stackOf(closed: string[], failing: string[] = []): CloseStack {
  const open = new CloseStack()
  for (const name of ['store', 'transport', 'api']) {
    const resource = {
      close: async () => {
        closed.push(name)
        if (failing.includes(name)) throw new Error(`${name} is stuck`)
      },
    }
    t.equal(open.add(resource), resource)
  }
  return open
}

t.test('last opened, first closed, each once', async (t) => {
  const closed: string[] = []
  const open = stackOf(closed)
  await open.close()
  await open.close()
  t.strictSame(closed, ['api', 'transport', 'store'])
})

t.test('one that fails to close does not keep the others open', async (t) => {
  const closed: string[] = []
  await t.rejects(stackOf(closed, ['transport']).close(), { message: 'transport is stuck' })
  t.strictSame(closed, ['api', 'transport', 'store'])
  const both = stackOf([], ['api', 'store']).close()
  await t.rejects(both, { errors: [{ message: 'api is stuck' }, { message: 'store is stuck' }] })
})

t.test('a failed start is undone and keeps its reason', async (t) => {
  const closed: string[] = []
  const reason = new Error('no port')
  t.equal(await stackOf(closed).fail(reason), reason)
  t.strictSame(closed, ['api', 'transport', 'store'])
  const failed = await stackOf([], ['api']).fail(reason)
  t.match(failed, { errors: [reason, { message: 'api is stuck' }] })
})

t.test('resources may close at once, and be closed while they are added', async (t) => {
  const open = new CloseStack()
  let late = false
  open.add({ close: () => void open.add({ close: () => void (late = true) }) })
  await open.close()
  t.ok(late)
})
