/** What `npm test` runs, and how to read from each tool's words how much it looked at. @module */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Check, Tally } from './judge.ts'

const root = join(import.meta.dirname, '../..')
const results = '.tap/all.tap'

const numberIn =
  (pattern: RegExp) =>
  (output: string): Tally => {
    const found = pattern.exec(output)?.[1]
    return { inputs: found === undefined ? undefined : Number(found) }
  }

/** Files of ours among those that the compiler lists. */
export function tallyTypes(output: string): Tally {
  const listed = output.split('\n').filter((line) => line.startsWith(`${root}/`))
  return { inputs: listed.filter((line) => !line.includes('/node_modules/')).length }
}

/** Every innermost failure in raw TAP, as the path of names from its file down. */
export function failuresIn(tap: string): string[] {
  const failures: string[] = []
  const around: string[] = []
  for (const [, indent = '', subtest, failure] of tap.matchAll(
    /^( *)(?:# Subtest: (.+)|not ok \d+ - (.+?)(?: # time=.*)?)$/gm,
  )) {
    around.length = Math.min(around.length, indent.length / 4)
    if (subtest !== undefined) around.push(subtest)
    if (failure === undefined) continue
    const path = [...around, failure].join(' > ')
    if (!failures.at(-1)?.startsWith(`${path} > `)) failures.push(path)
  }
  return failures
}

/** Totals, files and failures in the raw TAP of a whole run. */
export function tallyTests(tap: string): Tally {
  const totals = tap.match(/^# \{ .* \}$/gm)?.at(-1) ?? ''
  const total = (name: string): number =>
    Number(new RegExp(`${name}: (\\d+)`).exec(totals)?.[1] ?? 0)
  const empty = [...tap.matchAll(/^ok \d+ - (\S+) # SKIP no tests found/gm)].map(([, file]) => file)
  return {
    inputs: tap.match(/^(not )?ok \d+ - /gm)?.length ?? 0,
    passed: total('pass'),
    failed: total('fail'),
    skipped: total('skip') + total('todo'),
    failures: failuresIn(tap),
    objection: empty.length > 0 ? `without a test: ${empty.join(', ')}` : undefined,
  }
}

export const checks: readonly Check[] = [
  {
    name: 'format',
    unit: 'files',
    commands: [['node', 'scripts/check/format.ts']],
    tally: numberIn(/^(\d+) files looked at$/m),
  },
  {
    name: 'lint',
    unit: 'files',
    commands: [['oxlint', '--deny-warnings', '--report-unused-disable-directives']],
    tally: numberIn(/ on (\d+) files? with /),
  },
  {
    name: 'types',
    unit: 'files',
    commands: [['tsc', '-p', '.', '--listFiles']],
    tally: tallyTypes,
  },
  {
    name: 'layers',
    unit: 'modules',
    commands: [['depcruise', 'src']],
    tally: numberIn(/(\d+) modules, \d+ dependencies cruised/),
  },
  {
    name: 'unused',
    unit: 'files',
    commands: [
      [
        'knip',
        '--treat-config-hints-as-errors',
        '--reporter',
        'symbols',
        '--reporter',
        './scripts/check/knip-count.ts',
      ],
    ],
    tally: numberIn(/^(\d+) files looked at$/m),
  },
  {
    name: 'package',
    unit: 'files',
    commands: [
      ['node', 'scripts/check/clean-dist.ts'],
      ['tsc', '-p', 'tsconfig.build.json', '--listEmittedFiles'],
      ['publint', '--strict'],
    ],
    tally: (output) => ({ inputs: output.match(/^TSFILE: .*\.js$/gm)?.length ?? 0 }),
  },
  {
    name: 'tests',
    unit: 'files',
    live: true,
    // The first run after an install would still use the plugins that tap was packed with.
    commands: [
      ['tap', 'build'],
      ['tap', 'run', '--disable-coverage', '--reporter=min', `--output-file=${results}`],
    ],
    tally: () => tallyTests(readFileSync(join(root, results), 'utf8')),
  },
]
