import type { Cancel, Clock, Scheduler } from './clock.ts'

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}

type Timer = ReturnType<typeof setTimeout>

/** Longest delay that the runtime's timers take; given a longer one they fire at once. */
const timerDelayMsMax = 2 ** 31 - 1

function runAfter(delayMs: number, task: () => void, onTimer: (timer: Timer) => void): Cancel {
  let timer: Timer
  const arm = (restMs: number): void => {
    const stepMs = Math.min(restMs, timerDelayMsMax)
    timer = setTimeout(() => (restMs > stepMs ? arm(restMs - stepMs) : task()), stepMs)
    onTimer(timer)
  }
  arm(delayMs)
  return () => clearTimeout(timer)
}

/** Timers of the JavaScript runtime. */
export const systemScheduler: Scheduler = {
  after(delayMs, task) {
    // Browsers have numbers for timers, and no process to keep alive.
    return runAfter(delayMs, task, (timer) => typeof timer === 'object' && timer.unref())
  },
  soon(task) {
    setImmediate(task)
  },
}

/** As `systemScheduler`, for a program in the foreground: a pending task keeps the process alive. */
export const foregroundScheduler: Scheduler = {
  after: (delayMs, task) => runAfter(delayMs, task, () => undefined),
  soon: (task) => systemScheduler.soon(task),
}
