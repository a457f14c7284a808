/** The command line. @module */

import { foregroundScheduler } from '../../base/util/system-time.ts'
import { runCli } from './run.ts'

/** Runs one command of this process.
 *  @param args what stands behind the program's name
 *  @returns the exit code */
export function main(args: readonly string[]): Promise<number> {
  return runCli(args, {
    get stdin() {
      return process.stdin
    },
    stdout: process.stdout,
    stderr: process.stderr,
    scheduler: foregroundScheduler,
  })
}
