import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { isGone, isRunning } from '../support/process-state.ts'
import type { Scheduler } from '../../src/base/util/clock.ts'
import { systemScheduler } from '../../src/base/util/system-time.ts'
import {
  findProgram,
  freePort,
  processUsage,
  startChild,
  untilListening,
} from '../../bench/child.ts'

const scheduler = systemScheduler
const { signal } = new AbortController()
// The scheduler's timers do not keep a process alive, and some tests wait for nothing else.
const keepAlive = setInterval(() => {}, 60_000)
t.teardown(() => clearInterval(keepAlive))

const start = async (t: Tap, script: string, scheduler: Scheduler = systemScheduler) =>
  startChild({
    command: process.execPath,
    args: ['-e', script],
    scheduler,
    logFile: join(t.testdir(), 'log'),
  })
type Tap = Pick<typeof t, 'testdir'>

t.test('a child is waited for until it listens, and ended by its id', async (t) => {
  const port = await freePort()
  const child = await start(t, `require('net').createServer().listen(${port}, '127.0.0.1')`)
  await untilListening(child, port, { scheduler, signal })
  const { cpuUs, residentBytes } = processUsage(child.pid)
  t.ok(cpuUs >= 0 && residentBytes > 2 ** 20, 'its usage can be read')
  await child.close()
  t.equal(isRunning(child.pid), false)
  t.equal(child.isRunning, false)
  await child.close()
})

t.test('one that ends before it listens is not waited for', async (t) => {
  const child = await start(t, 'process.exit(1)')
  const port = await freePort()
  await t.rejects(untilListening(child, port, { scheduler, signal }), /ended before it listened/)
  await t.rejects(
    startChild({ command: '/no/such/program', args: [], scheduler, logFile: '/dev/null' }),
    { code: 'ENOENT' },
  )
})

t.test('one that ignores SIGTERM is killed', async (t) => {
  const port = await freePort()
  const deaf = `process.on('SIGTERM', () => {})
    require('net').createServer().listen(${port}, '127.0.0.1')`
  const graces: number[] = []
  const impatient: Scheduler = {
    ...scheduler,
    after(delayMs, task) {
      graces.push(delayMs)
      return scheduler.after(1, task)
    },
  }
  const child = await start(t, deaf, impatient)
  await untilListening(child, port, { scheduler, signal })
  await child.close()
  t.equal(isRunning(child.pid), false)
  t.same(graces, [3000])
})

t.test('children go with the process that started them', async (t) => {
  const dir = t.testdir({
    'parent.ts': `
      import { startChild } from '${join(import.meta.dirname, '../../bench/child.ts')}'
      import { systemScheduler } from '${join(import.meta.dirname, '../../src/base/util/system-time.ts')}'
      const child = await startChild({
        command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'],
        scheduler: systemScheduler, logFile: '/dev/null',
      })
      console.log(child.pid)
      process.exit(1)`,
  })
  const parent = spawn(process.execPath, [join(dir, 'parent.ts')])
  let stdout = ''
  parent.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  await once(parent, 'close')
  const pid = Number(stdout)
  t.ok(pid > 0)
  t.ok(await isGone(pid))
})

t.test('programs are found by name', async (t) => {
  t.match(findProgram('sh'), /\/sh$/)
  t.equal(findProgram('no-such-program'), undefined)
})
