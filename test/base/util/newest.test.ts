import t from 'tap'
import { setNewest } from '../../../src/base/util/newest.ts'

t.test('above the bound the entry that was set longest ago goes', async (t) => {
  const map = new Map<string, number>()
  for (const entry of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
    ['c', 4],
  ] as [string, number][]) {
    setNewest(map, entry, 2)
  }
  t.same(
    [...map],
    [
      ['a', 3],
      ['c', 4],
    ],
  )
  setNewest(map, ['c', 5], 2)
  t.same([...map.values()], [3, 5], 'an entry that is there costs no other its place')
})
