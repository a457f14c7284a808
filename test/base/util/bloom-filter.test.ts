import t from 'tap'
import { BloomFilter } from '../../../src/base/util/bloom-filter.ts'
import { seededIntegers } from '../../support/hostile.ts'

t.test('what was added may be there, most of what was not is not', (t) => {
  const draw = seededIntegers(1)
  const idOf = () => Uint8Array.from({ length: 16 }, () => draw(256))
  const filter = new BloomFilter(64 * 1024)
  const added = Array.from({ length: 20_000 }, idOf)
  const owner = idOf()
  for (const id of added) filter.add(owner, id)
  t.ok(added.every((id) => filter.mayHave(owner, id)))
  const others = Array.from({ length: 20_000 }, idOf)
  const inVain = others.filter((id) => filter.mayHave(owner, id)).length
  t.ok(inVain < 400, `${inVain} of ${others.length} in vain`)
  const another = idOf()
  const ofAnother = added.filter((id) => filter.mayHave(another, id)).length
  t.ok(ofAnother < 400, `${ofAnother} seem to be of another owner`)
  t.equal(new BloomFilter(8).mayHave(owner, idOf()), false, 'an empty one has nothing')
  t.end()
})
