import type { Clock, Scheduler } from './clock.ts'

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}

/** Timers of the JavaScript runtime. */
export const systemScheduler: Scheduler = {
  after(delayMs, task) {
    const timer: { unref?: () => void } | number = setTimeout(task, delayMs)
    if (typeof timer === 'object') timer.unref?.()
    return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0])
  },
  soon(task) {
    setImmediate(task)
  },
}

/** As `systemScheduler`, for a program in the foreground: a pending task keeps the process alive. */
export const foregroundScheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs)
    return () => clearTimeout(timer)
  },
  soon: (task) => systemScheduler.soon(task),
}
