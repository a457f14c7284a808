/**
 * The whole check of this repository: every tool, two at a time, then all tests. Prints a line a check and ends with
 * `N passed, N failed`: each tool counts as one test, the assertions of the tests as they are.
 * `npm test -- lint types` runs only those.
 * @module
 */

import process from 'node:process'
import { checks } from './check/checks.ts'
import { judge, summary, type Check, type Verdict } from './check/judge.ts'
import { run } from './check/run.ts'

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !checks.some((check) => check.name === name))
if (unknown.length > 0) {
  process.stderr.write(`no check named ${unknown.join(', ')}\n`)
  process.exit(64)
}

const verdicts: Verdict[] = []

async function look(check: Check): Promise<void> {
  const startedAt = performance.now()
  const verdict = judge(check, await run(check))
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  verdicts.push(verdict)
  if (verdict.failed > 0) process.stdout.write(`${verdict.output.trimEnd()}\n`)
  process.stdout.write(`${verdict.failed > 0 ? 'FAIL' : 'ok  '} ${verdict.line} (${seconds} s)\n`)
}

// the tools keep one core busy each; the tests have the machine to themselves
const chosen = checks.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
const tools = chosen.filter(({ live }) => !live)
const lookThrough = async () => {
  for (let check = tools.shift(); check; check = tools.shift()) await look(check)
}
await Promise.all([lookThrough(), lookThrough()])
for (const check of chosen.filter(({ live }) => live)) await look(check)
const { line, exitCode } = summary(verdicts)
process.stdout.write(`${line}\n`)
process.exitCode = exitCode
