/** Entry of `npm run bench`. @module */

import { systemClock, systemScheduler } from '../src/base/util/system-time.ts'
import { accountsBenchmark } from './accounts.ts'
import { runCommand } from './command.ts'
import { deliverBenchmark } from './deliver.ts'
import { meshBenchmark } from './mesh.ts'
import { syncBenchmark } from './sync.ts'

const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => interrupted.abort(new Error(`the run ended by ${name}`)))
}

// The scheduler's timers do not keep the process alive.
setInterval(() => {}, 60_000)

const exitCode = await runCommand(process.argv.slice(2), {
  benchmarks: [deliverBenchmark(), meshBenchmark(), syncBenchmark(), accountsBenchmark()],
  clock: systemClock,
  scheduler: systemScheduler,
  signal: interrupted.signal,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
})
// Work that the deadline or a signal cut off may still hold handles.
process.exit(exitCode)
