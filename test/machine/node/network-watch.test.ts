import t from 'tap'
import { NetworkWatch } from '../../../src/machine/node/network-watch.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { MemoryLog } from '../../support/transports.ts'

t.test('interfaces that come and go are noticed; their order says nothing', async (t) => {
  const time = new ManualTime()
  const log = new MemoryLog()
  let interfaces = ['127.0.0.1']
  const watch = new NetworkWatch({ interfaces: () => interfaces, scheduler: time, log })
  let told = 0
  watch.watch(() => {
    throw new Error('a listener that fails does not keep the others')
  })
  const cancel = watch.watch(() => void told++)
  await time.advance(60_000)
  t.equal(told, 0)
  interfaces = ['127.0.0.1', '192.168.1.5']
  await time.advance(5000)
  t.equal(told, 1)
  interfaces = ['192.168.1.5', '127.0.0.1', '127.0.0.1']
  await time.advance(60_000)
  t.equal(told, 1)
  interfaces = []
  await time.advance(5000)
  t.equal(told, 2, 'no interface at all is a network too')
  t.strictSame(log.events('error'), ['network-listener-failed', 'network-listener-failed'])
  cancel()
  interfaces = ['10.0.0.1']
  await time.advance(60_000)
  t.equal(told, 2)
  watch.close()
  t.equal(time.pending, 0)
})
