import t from 'tap'
import { checks, failuresIn, tallyTests, tallyTypes } from '../../scripts/check/checks.ts'
import { judge, summary, type Check, type Tally } from '../../scripts/check/judge.ts'

const check = (tally: Tally): Check => ({
  name: 'sample',
  unit: 'files',
  commands: [],
  tally: () => tally,
})

t.test('a tool that was content with something passes as one test', async (t) => {
  const verdict = judge(check({ inputs: 3 }), { exitCode: 0, output: 'all well' })
  t.match(verdict, { passed: 1, failed: 0, line: 'sample: 3 files' })
})

t.test('a tool that looked at nothing fails', async (t) => {
  for (const inputs of [0, undefined]) {
    const verdict = judge(check({ inputs }), { exitCode: 0, output: '' })
    t.match(verdict, { passed: 0, failed: 1, line: /no files/ })
  }
})

t.test('a tool that found something or was killed fails', async (t) => {
  for (const exitCode of [1, undefined]) {
    t.match(judge(check({ inputs: 3 }), { exitCode, output: 'x' }), { passed: 0, failed: 1 })
  }
})

t.test('assertions count as they are', async (t) => {
  const tally = { inputs: 2, passed: 40, failed: 2, skipped: 1 }
  t.match(judge(check(tally), { exitCode: 1, output: '' }), { passed: 40, failed: 2 })
  t.match(judge(check({ ...tally, failed: 0 }), { exitCode: 0, output: '' }), {
    passed: 40,
    failed: 0,
    line: 'sample: 2 files: 40 passed, 0 failed, 1 skipped',
  })
})

t.test('a run of tests that says it is well may still be void', async (t) => {
  const well = { inputs: 2, passed: 40, failed: 0 }
  const outcome = { exitCode: 0, output: '' }
  t.equal(judge(check(well), { ...outcome, exitCode: undefined }).failed, 1, 'killed')
  t.equal(judge(check({ ...well, passed: 0 }), outcome).failed, 1, 'not one assertion')
  t.equal(judge(check({ ...well, inputs: 0 }), outcome).failed, 1, 'not one file')
  t.equal(judge(check({ ...well, objection: 'empty: x' }), outcome).failed, 1, 'an empty file')
})

t.test('the last line and the exit code', async (t) => {
  const verdict = { passed: 3, failed: 0, line: '', output: '' }
  t.strictSame(summary([verdict, verdict]), { line: '6 passed, 0 failed', exitCode: 0 })
  t.strictSame(summary([verdict, { ...verdict, failed: 1 }]), {
    line: '6 passed, 1 failed',
    exitCode: 1,
  })
  t.strictSame(summary([]), { line: '0 passed, 0 failed', exitCode: 1 })
})

t.test('what the tools print is understood', async (t) => {
  const tally = (name: string, output: string): Tally | undefined =>
    checks.find((check) => check.name === name)?.tally(output)
  t.equal(tally('format', '12 files looked at\n')?.inputs, 12)
  t.equal(tally('format', '')?.inputs, undefined)
  t.equal(tally('lint', 'Finished in 2ms on 54 files with 149 rules using 2 threads.')?.inputs, 54)
  t.equal(tally('lint', 'No files found')?.inputs, undefined)
  t.equal(tally('layers', '✔ no … (120 modules, 437 dependencies cruised)')?.inputs, 120)
  t.equal(
    tally('layers', 'x 1 dependency violations (…). 0 modules, 0 dependencies cruised.')?.inputs,
    0,
  )
  t.equal(tally('package', 'TSFILE: /a/dist/x.js\nTSFILE: /a/dist/x.d.ts\n')?.inputs, 1)
  const here = import.meta.filename
  t.equal(tallyTypes(`${here}\n/elsewhere/x.ts\n`).inputs, 1)
  t.equal(tallyTypes('').inputs, 0)
})

t.test('the totals of tap are understood', async (t) => {
  const tap = `TAP version 14
1..3
ok 1 - test/a.test.ts # time=3ms {
    ok 1 - inner
    # { total: 9, pass: 9 }
}
not ok 2 - test/b.test.ts # time=4ms
ok 3 - test/c.test.ts # SKIP no tests found

# { total: 11, pass: 6, fail: 2, todo: 1, skip: 2 }
# time=1012.087ms
`
  t.strictSame(tallyTests(tap), {
    inputs: 3,
    passed: 6,
    failed: 2,
    skipped: 3,
    failures: ['test/b.test.ts'],
    objection: 'without a test: test/c.test.ts',
  })
  t.match(tallyTests(''), { inputs: 0, passed: 0 })
})

t.test('what failed is named from its file down', async (t) => {
  const tap = `TAP version 14
# Subtest: test/a.test.ts
    # Subtest: outer
        not ok 1 - one is two
          ---
          compare: ===
          ...
        # Subtest: inner
            ok 1 - x
        ok 2 - inner # time=5.505ms
        not ok 3 - oops
    not ok 1 - outer # time=9ms
not ok 1 - test/a.test.ts # time=48ms
# Subtest: test/b.test.ts
    ok 1 - fine
ok 2 - test/b.test.ts # time=1ms
not ok 3 - test/c.test.ts # time=300000ms
`
  t.strictSame(failuresIn(tap), [
    'test/a.test.ts > outer > one is two',
    'test/a.test.ts > outer > oops',
    'test/c.test.ts',
  ])
  const live = { ...check({ inputs: 3, failed: 1, failures: failuresIn(tap) }), live: true }
  t.match(judge(live, { exitCode: 1, output: tap }).output, /^not ok test\/a.+one is two\n/)
})
