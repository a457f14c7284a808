import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { isAbzuError } from '../../base/util/errors.ts'
import { sleep, withTimeout } from '../../base/util/wait.ts'
import type { AbzuClient } from '../client/client.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'

const pollMs = 50
/** The daemon gives itself 10 s. */
const patienceMs = 15_000

/** `abzu stop`: returns when the daemon is gone, so that another can start. */
export function stop(context: CliContext): Command {
  return newCommand('stop', context)
    .description('Stop the daemon and wait until it is gone')
    .action(async () => {
      const { scheduler } = context.io
      const client = await context.client()
      const { pid } = await client.status()
      await client.stop()
      await withTimeout(
        scheduler,
        { timeoutMs: patienceMs, what: 'the end of the daemon' },
        async (signal) => {
          while ((await isAnswering(client, signal)) || (await isRunning(pid))) {
            await sleep(scheduler, pollMs, signal)
          }
        },
      )
      await context.output.result({ pid, stopped: true }, () => ['stopped'])
    })
}

async function isAnswering(client: AbzuClient, signal: AbortSignal): Promise<boolean> {
  try {
    await client.status(signal)
    return true
  } catch (error) {
    return !isAbzuError(error, 'ABZU_NO_DAEMON')
  }
}

/** A process that ended counts as gone, even where its parent has not taken notice. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
    return !/\) [ZX] /.test(await readFile(`/proc/${pid}/stat`, 'latin1'))
  } catch (error) {
    // no such process; without a /proc, and for a process of another user, it is there
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
