import type { Scheduler } from '../../base/util/clock.ts'
import { sleep } from '../../base/util/wait.ts'
import type { RecoveryProgress } from './services.ts'

/** Between two lines: often enough for a person who looks on, and for a connection that must not look dead. */
const lineEveryMs = 500

/** How far a recovery has come, again and again, and what it ended with. What fails at once fails as a whole.
 *  @param init.recover begins; it is to end early where `signal` aborts
 *  @throws those of `init.recover` */
export async function* recoveryLines<T extends object>(
  { scheduler }: { readonly scheduler: Scheduler },
  init: {
    readonly recover: (progress: (done: RecoveryProgress) => void) => Promise<T>
    readonly signal: AbortSignal
  },
): AsyncGenerator<{ progress: RecoveryProgress } | { recovered: T & ReceivedAmount }> {
  let progress: RecoveryProgress = { items: 0, bytes: 0, itemsTotal: 0 }
  const ending = new AbortController()
  const recovering = init.recover((done) => (progress = done)).finally(() => ending.abort())
  // it is awaited below, unless its reader leaves first
  recovering.catch(() => undefined)
  for (;;) {
    const timer = AbortSignal.any([init.signal, ending.signal])
    const isOver = await sleep(scheduler, lineEveryMs, timer).then(
      () => false,
      () => true,
    )
    if (isOver) break
    yield { progress }
  }
  const recovered = await recovering
  const { items, bytes } = progress
  yield { recovered: { ...recovered, items, bytes } }
}

interface ReceivedAmount {
  readonly items: number
  readonly bytes: number
}
