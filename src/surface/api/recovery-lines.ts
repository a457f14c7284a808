import type { Scheduler } from '../../base/util/clock.ts'
import { progressLines } from './progress-lines.ts'
import type { RecoveryProgress } from './services.ts'

/** How far a recovery has come, again and again, and what it ended with.
 *  @param init.recover begins; it is to end early where `signal` aborts
 *  @throws those of `init.recover` */
export async function* recoveryLines<T extends object>(
  deps: { readonly scheduler: Scheduler },
  {
    recover: run,
    signal,
  }: {
    readonly recover: (progress: (done: RecoveryProgress) => void) => Promise<T>
    readonly signal: AbortSignal
  },
): AsyncGenerator<{ progress: RecoveryProgress } | { recovered: T & ReceivedAmount }> {
  const first: RecoveryProgress = { items: 0, bytes: 0, itemsTotal: 0 }
  for await (const line of progressLines(deps, { first, run, signal })) {
    if ('progress' in line) yield line
    else {
      const { items, bytes } = line.last
      yield { recovered: { ...line.ended, items, bytes } }
    }
  }
}

interface ReceivedAmount {
  readonly items: number
  readonly bytes: number
}
