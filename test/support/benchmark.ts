/** A benchmark in a process of its own, as `npm run bench` starts it. @module */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

const entry = join(import.meta.dirname, '../../bench/run.ts')

/** One measure of a report. */
export interface Row {
  readonly name: string
  readonly value: number | null
  readonly target: { readonly op: string; readonly value: number } | null
  readonly ok: boolean | null
}

/** Starts one; what it leaves behind lies in `scratch`. */
export function startBenchmark(args: readonly string[], scratch: string) {
  const env = { ...process.env, TMPDIR: scratch }
  const child = spawn(process.execPath, [entry, ...args], { env })
  const written = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text))
  return { child, written, closed: once(child, 'close') as Promise<[number | null]> }
}

/** Resolves when it has ended. */
export async function runBenchmark(args: readonly string[], scratch: string) {
  const { written, closed } = startBenchmark(args, scratch)
  const [exitCode] = await closed
  return { exitCode, ...written }
}

/** A directory with a short path, as a socket needs it, which the test removes. */
export function shortScratch(t: Test): string {
  const scratch = mkdtempSync(join(tmpdir(), 'abzu-test-'))
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
  return scratch
}

/** Every target, as `name <= 1`. */
export function targetsOf(measures: readonly Row[]): string[] {
  return measures.flatMap(({ name, target }) =>
    target === null ? [] : [`${name} ${target.op} ${target.value}`],
  )
}
