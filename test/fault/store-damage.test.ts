import { spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openTestStore } from '../support/store-content.ts'
import { writeDamageSample, type DamageInit } from '../support/store-damage.ts'
import { tempHome } from '../support/temp-home.ts'

const cases = 200
const script = new URL('../support/store-damage.ts', import.meta.url).pathname

/** Runs the cases. LevelDB asserts that a table is in order, and ends the process where it is not: loud
 *  enough. The next process goes on. */
function runCases(init: Omit<DamageInit, 'first' | 'cases'>): string[] {
  const lines: string[] = []
  while (lines.length < cases) {
    const argument = JSON.stringify({ ...init, first: lines.length, cases })
    const { stdout } = spawnSync(process.execPath, [script, argument], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const said = String(stdout).split('\n')
    const cutOff = said.pop()
    lines.push(...said)
    if (lines.length < cases) lines.push(`${cutOff} aborted`)
  }
  return lines
}

t.test(`I12: ${cases} damaged files: each is reported, or every read is true`, async (t) => {
  const home = tempHome(t).ABZU_HOME
  const [closed, crashed] = [join(home, 'closed'), join(home, 'crashed')]
  const store = await openTestStore({ dir: closed, limits: { writeBufferBytes: 64 * 1024 } })
  await writeDamageSample(store)
  cpSync(closed, crashed, { recursive: true, filter: (path) => !path.endsWith('/LOCK') })
  await store.close()

  const lines = runCases({ closed, crashed, home })
  t.equal(lines.length, cases)
  const endings = ['refused', 'reported', 'unharmed', 'aborted']
  const ends = new Map(
    endings.map((word) => [word, lines.filter((line) => line.includes(` ${word}`)).length]),
  )
  t.comment(JSON.stringify(Object.fromEntries(ends)))
  const others = lines.filter((line) => !endings.some((word) => line.includes(` ${word}`)))
  t.strictSame(others, [], 'none silent, none without a typed error')
  t.ok((ends.get('refused') ?? 0) > cases / 10, 'some are refused')
  t.ok((ends.get('reported') ?? 0) > cases / 10, 'some are reported')
  t.ok((ends.get('aborted') ?? 0) < cases / 10, 'LevelDB ends the process now and then')
})
