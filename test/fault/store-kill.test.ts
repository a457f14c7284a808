import { join } from 'node:path'
import t from 'tap'
import { seededIntegers } from '../support/hostile.ts'
import { lookAfter, nothingLost, runLoad } from '../support/store-load-runner.ts'
import { tempHome } from '../support/temp-home.ts'

const cycles = 10

for (const seed of [1, 2]) {
  t.test(`I1: ${cycles} kills of a store under load lose nothing, seed ${seed}`, async (t) => {
    const dir = join(tempHome(t).ABZU_HOME, 'store')
    const draw = seededIntegers(seed)
    const acked: number[] = []
    const gone: number[] = []
    for (let cycle = 0; cycle < cycles; cycle++) {
      const outcome = await runLoad({
        load: { dir, first: cycle * 1_000_000 },
        killAfterLines: 2 + draw(400),
      })
      t.strictSame(outcome.errors, [])
      acked.push(...outcome.acked)
      gone.push(...outcome.gone)
      // Now and then a store is killed again and again before anybody looks.
      if (cycle % 3 === 2) {
        t.strictSame(await lookAfter(dir, { acked, gone }), nothingLost)
      }
    }
    t.ok(acked.length > 500 && gone.length > 50, `${acked.length} acked, ${gone.length} removed`)
  })
}
