import type { Scheduler } from '../../base/util/clock.ts'
import { sleep } from '../../base/util/wait.ts'

/** Between two lines: often enough for a person who looks on, and for a connection that must not look dead. */
const lineEveryMs = 500

/** How far long work has come, again and again, and what it ended with. What fails at once fails as a whole.
 *  @param init.run begins; it is to end early where `signal` aborts
 *  @throws those of `init.run` */
export async function* progressLines<P, T>(
  { scheduler }: { readonly scheduler: Scheduler },
  init: {
    /** How far it is before the first word of it. */
    readonly first: P
    readonly run: (tell: (progress: P) => void) => Promise<T>
    readonly signal: AbortSignal
  },
): AsyncGenerator<{ readonly progress: P } | { readonly ended: T; readonly last: P }> {
  let progress = init.first
  const ending = new AbortController()
  const running = init.run((now) => (progress = now)).finally(() => ending.abort())
  // it is awaited below, unless its reader leaves first
  running.catch(() => undefined)
  for (;;) {
    const timer = AbortSignal.any([init.signal, ending.signal])
    const isOver = await sleep(scheduler, lineEveryMs, timer).then(
      () => false,
      () => true,
    )
    if (isOver) break
    yield { progress }
  }
  const ended = await running
  yield { ended, last: progress }
}
