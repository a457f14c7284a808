/** Says what a check's run is worth. A check that looked at nothing has failed. @module */

export interface Outcome {
  /** Undefined where a signal ended the process. */
  readonly exitCode: number | undefined
  readonly output: string
}

/** What a check looked at and, where it runs tests itself, how they went. */
export interface Tally {
  /** Files, modules or test files. Undefined where the output does not say, which is a failure. */
  readonly inputs: number | undefined
  readonly passed?: number
  readonly failed?: number
  readonly skipped?: number
  /** What failed, by name. */
  readonly failures?: readonly string[]
  /** Why the run is void although the tool was content. */
  readonly objection?: string | undefined
}

export interface Check {
  readonly name: string
  /** What `inputs` counts, in the plural. */
  readonly unit: string
  /** Commands in order, each a program of node_modules/.bin or `node`, with its arguments. */
  readonly commands: readonly (readonly string[])[]
  /** Shows the output as it comes. */
  readonly live?: boolean
  readonly tally: (output: string) => Tally
}

export interface Verdict {
  readonly passed: number
  readonly failed: number
  readonly line: string
  /** What the tools said or, where that was shown already, what failed. */
  readonly output: string
}

export function judge(check: Check, { exitCode, output }: Outcome): Verdict {
  const tally = check.tally(output)
  const { inputs = 0, skipped = 0 } = tally
  let { passed = 0, failed = 0 } = tally
  const objections: string[] = []
  if (exitCode !== 0 && failed === 0) objections.push(`exit code ${exitCode ?? 'none, killed'}`)
  if (inputs === 0) objections.push(`no ${check.unit}: a check of nothing proves nothing`)
  if (tally.passed === 0) objections.push('not one assertion passed')
  if (tally.objection !== undefined) objections.push(tally.objection)
  if (tally.passed === undefined) {
    passed = objections.length === 0 ? 1 : 0
    failed = 1 - passed
  } else if (objections.length > 0) {
    failed += 1
  }
  const counts = tally.passed === undefined ? '' : `: ${passed} passed, ${failed} failed`
  const skips = skipped > 0 ? `, ${skipped} skipped` : ''
  const reasons = objections.length > 0 ? `; ${objections.join('; ')}` : ''
  return {
    passed,
    failed,
    line: `${check.name}: ${inputs} ${check.unit}${counts}${skips}${reasons}`,
    output: check.live ? (tally.failures ?? []).map((name) => `not ok ${name}`).join('\n') : output,
  }
}

/** The last line, and the exit code: success needs at least one pass and no failure. */
export function summary(verdicts: readonly Verdict[]): { line: string; exitCode: 0 | 1 } {
  const passed = verdicts.reduce((sum, verdict) => sum + verdict.passed, 0)
  const failed = verdicts.reduce((sum, verdict) => sum + verdict.failed, 0)
  const line = `${passed} passed, ${failed} failed`
  return { line, exitCode: failed === 0 && passed > 0 ? 0 : 1 }
}
