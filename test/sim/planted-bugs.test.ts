/** A simulator that finds nothing may be one that looks at nothing: here it has something to find. */

import t from 'tap'
import { plantedBugs } from './planted-bugs.ts'
import { Simulator } from './simulate.ts'

const seedsMax = 60
const simulator = new Simulator()

for (const { name, from = 1, wiring, faults, breaks } of plantedBugs) {
  t.test(name, async (t) => {
    for (let seed = from; seed < from + seedsMax; seed++) {
      const { problems } = await simulator.run({ seed, wiring, faults })
      const found = problems.filter((problem) => breaks.test(problem))
      if (found.length === 0) continue
      const sound = await simulator.run({ seed, faults })
      t.strictSame(sound.problems, [], `seed ${seed}, and without the bug nothing`)
      t.pass(String(found[0]))
      return
    }
    t.fail(`not found in ${seedsMax} seeds`)
  })
}
