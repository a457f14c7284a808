import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** Whether a process runs. One that has ended and was not waited for yet does not. */
export function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

/** Whether a process that was told to end is gone within a few seconds. */
export async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; isRunning(pid) && tries < 1000; tries++) {
    await once(execFile('true'), 'close')
  }
  return !isRunning(pid)
}
