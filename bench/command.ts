/** The command line of the benchmarks: arguments in, a report and an exit code out. @module */

import { parseArgs } from 'node:util'
import type { Clock, Scheduler } from '../src/base/util/clock.ts'
import { runBenchmark, type Benchmark } from './harness.ts'
import { describeMachine } from './machine.ts'
import { formatJson, formatTable } from './report.ts'

export interface CommandDeps {
  readonly benchmarks: readonly Benchmark[]
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Ends the run early; its reason is reported. */
  readonly signal: AbortSignal
  /** The report and nothing else. */
  readonly stdout: (text: string) => void
  /** Progress and failures. */
  readonly stderr: (text: string) => void
}

const usage = 'usage: npm run -s bench -- NAME [--json] [--quick] [--only PART]...'

/** Runs one benchmark and returns the exit code: 0 where it was measured, whether or not a target
 *  was reached; 1 where it failed; 64 where the arguments make no sense. */
export async function runCommand(args: readonly string[], deps: CommandDeps): Promise<number> {
  const { benchmarks, clock, scheduler, signal, stdout, stderr } = deps
  const parsed = parse(args)
  const benchmark = benchmarks.find(({ name }) => name === parsed?.name)
  if (!parsed || !benchmark) {
    const list = benchmarks.map(({ name, parts }) => `  ${name}: ${names(parts)}`)
    stderr(`${usage}\n${list.join('\n')}\n`)
    return 64
  }
  const { json, quick, only } = parsed
  try {
    const machine = describeMachine()
    const progress = (text: string) => stderr(`${text}\n`)
    const init = { quick, only, clock, scheduler, signal, progress }
    const measures = await runBenchmark(benchmark, init)
    const report = { bench: benchmark.name, machine, measures }
    stdout(json ? formatJson(report) : formatTable(report))
    return 0
  } catch (error) {
    stderr(`${error instanceof Error ? error.stack : String(error)}\n`)
    return 1
  }
}

function names(parts: Benchmark['parts']): string {
  return parts.map(({ name }) => name).join(', ')
}

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
      },
    })
    const [name, ...rest] = positionals
    return rest.length === 0 ? { ...values, name } : undefined
  } catch {
    return undefined
  }
}
