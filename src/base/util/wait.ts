import type { Scheduler } from './clock.ts'
import { AbzuError } from './errors.ts'

/** Resolves after `delayMs`, or rejects at once with the signal's reason. */
export async function sleep(
  scheduler: Scheduler,
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = scheduler.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Runs `work` with a signal that aborts after `timeoutMs`, and rejects then even where `work`
 *  ignores its signal. `what` names the work in the error.
 *  @throws {AbzuError} ABZU_TIMEOUT */
export async function withTimeout<T>(
  scheduler: Scheduler,
  {
    timeoutMs,
    what,
    signal,
  }: { timeoutMs: number; what: string; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const aborted = Promise.withResolvers<never>()
  // Where `work` throws before the race below, nobody else would take this rejection.
  aborted.promise.catch(() => undefined)
  const abort = (reason: unknown) => {
    controller.abort(reason)
    aborted.reject(reason)
  }
  const onAbort = () => abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const cancel = scheduler.after(timeoutMs, () =>
    abort(new AbzuError('ABZU_TIMEOUT', `${what} took longer than ${timeoutMs} ms`)),
  )
  try {
    return await Promise.race([work(controller.signal), aborted.promise])
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Runs `work` with a signal that aborts after `timeoutMs`, or with `signal`. What comes of that is the work's own
 *  affair: it may end with what it has by then. */
export async function withDeadline<T>(
  scheduler: Pick<Scheduler, 'after'>,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const cancel = scheduler.after(timeoutMs, () => controller.abort())
  try {
    return await work(signal ? AbortSignal.any([signal, controller.signal]) : controller.signal)
  } finally {
    cancel()
  }
}
