import t from 'tap'
import { itemIdOf } from '../../../src/base/crypto/address.ts'
import { doorIdOf, doorKeyOf, doorProof, newDoorToken } from '../../../src/base/crypto/door.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { equalBytes, utf8 } from '../../../src/base/util/bytes.ts'
import { testPerson } from '../../support/persons.ts'

const platform = nodePlatform()
const [alice, bob] = [testPerson(platform, 1), testPerson(platform, 2)]

t.test('token, key, id and proof', (t) => {
  const token = newDoorToken(platform)
  const key = doorKeyOf(platform, token)
  const item = itemIdOf(platform, utf8('an envelope'))
  t.equal(token.length, 32)
  t.equal(key.length, 32)
  t.equal(doorIdOf(platform, key).length, 8)
  t.equal(doorProof(platform, key, alice.mailbox, item).length, 16)
  t.same(
    doorProof(platform, key, alice.mailbox, item),
    doorProof(platform, key, alice.mailbox, item),
  )
  t.notOk(equalBytes(newDoorToken(platform), token))
  t.end()
})

t.test('a proof holds for one door, one mailbox and one item', (t) => {
  const key = doorKeyOf(platform, new Uint8Array(32).fill(1))
  const otherKey = doorKeyOf(platform, new Uint8Array(32).fill(2))
  const item = itemIdOf(platform, utf8('an envelope'))
  const otherItem = itemIdOf(platform, utf8('another envelope'))
  const proofs = [
    doorProof(platform, key, alice.mailbox, item),
    doorProof(platform, otherKey, alice.mailbox, item),
    doorProof(platform, key, bob.mailbox, item),
    doorProof(platform, key, alice.mailbox, otherItem),
  ]
  t.equal(new Set(proofs.map(String)).size, 4)
  t.end()
})

t.test('what the host keeps does not give the token', (t) => {
  const token = new Uint8Array(32).fill(3)
  const key = doorKeyOf(platform, token)
  t.notOk(equalBytes(key, platform.sha256(token)), 'the hash is labelled')
  t.notOk(equalBytes(doorIdOf(platform, key), key.slice(0, 8)), 'nor does the id give the key')
  t.end()
})
