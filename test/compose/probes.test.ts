import t from 'tap'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { openStore } from '../../src/base/store/store.ts'
import { silentLog } from '../../src/base/util/log.ts'
import type { Metric } from '../../src/base/util/metric.ts'
import { openProcessProbe } from '../../src/compose/process-probe.ts'
import { StoreMeter } from '../../src/compose/store-meter.ts'
import { ManualTime } from '../support/manual-time.ts'
import { watchWrites } from '../support/watched-media.ts'

const values = (metrics: readonly Metric[]) =>
  Object.fromEntries(metrics.map(({ name, samples }) => [name, samples[0]?.value]))

t.test('the store: commits, bytes and time', async (t) => {
  const time = new ManualTime()
  const meter = new StoreMeter(time)
  const writing = Promise.withResolvers<void>()
  let isHeld = false
  const store = await openStore({
    dir: undefined,
    platform: nodePlatform(),
    clock: time,
    scheduler: time,
    log: silentLog,
    decorate: (media) =>
      meter.watch(
        watchWrites(media, async () => {
          if (isHeld) await writing.promise
        }),
      ),
  })
  t.teardown(async () => store.close())
  const before = values(await meter.metrics())
  isHeld = true
  const put = store.table('node').put(new Uint8Array(4), new Uint8Array(1000))
  await time.settle()
  const during = values(await meter.metrics())
  t.ok((during['store_writing_bytes'] ?? 0) > 1000)
  t.equal(during['store_writes_total'], before['store_writes_total'], 'not yet durable')
  await time.advance(2000)
  writing.resolve()
  await put
  const after = values(await meter.metrics())
  t.equal(after['store_writes_total'], (before['store_writes_total'] ?? 0) + 1)
  t.ok((after['store_write_bytes_total'] ?? 0) > (before['store_write_bytes_total'] ?? 0) + 1000)
  t.equal(after['store_write_seconds_total'], (before['store_write_seconds_total'] ?? 0) + 2)
  t.equal(after['store_writing_bytes'], 0)
})

t.test('the process: a loop that was held up shows', async (t) => {
  const probe = openProcessProbe()
  t.teardown(() => probe.close())
  await new Promise((resolve) => setTimeout(resolve, 150))
  const heldMs = 400
  const endAtMs = performance.now() + heldMs
  while (performance.now() < endAtMs);
  await new Promise((resolve) => setTimeout(resolve, 150))
  const metrics = await probe.metrics()
  const worst = metrics
    .find(({ name }) => name === 'event_loop_delay_seconds')
    ?.samples.find(({ labels }) => labels?.['quantile'] === '1')?.value
  t.ok(worst !== undefined && worst > 0.2, `${worst} s`)
  t.ok((values(metrics)['process_resident_bytes'] ?? 0) > 1e7)
  t.ok((values(metrics)['process_cpu_seconds_total'] ?? 0) > 0)
  t.ok(metrics.length > 5)
})
