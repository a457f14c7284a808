import type { Cancel, Scheduler } from '../../base/util/clock.ts'
import type { Closeable } from '../../base/util/close-stack.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Mailboxes } from './mailboxes.ts'

export interface JanitorDeps {
  readonly mailboxes: Pick<Mailboxes, 'sweep'>
  readonly scheduler: Scheduler
  readonly log: Log
}

const restMs = 600_000
/** Between two slices of one sweep, so that people's requests come first. */
const pauseMs = 100
const sliceRows = 500

/** Sweeps what is over, a slice at a time, from now on until it is closed. */
export function startJanitor({ mailboxes, scheduler, log }: JanitorDeps): Closeable {
  let isClosed = false
  let cancel: Cancel
  const sweep = async (): Promise<void> => {
    let swept = 0
    try {
      swept = await mailboxes.sweep(sliceRows)
      if (swept > 0) log.info('swept', { rows: swept })
    } catch (error) {
      log.warn('sweep-failed', { error: toAbzuError(error) })
    }
    if (!isClosed) cancel = scheduler.after(swept > 0 ? pauseMs : restMs, () => void sweep())
  }
  cancel = scheduler.after(pauseMs, () => void sweep())
  return {
    close() {
      isClosed = true
      cancel()
    },
  }
}
