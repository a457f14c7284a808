import t from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { isRestoreClaim, signRestoreClaim } from '../../../src/base/crypto/restore-claim.ts'
import { concatBytes } from '../../../src/base/util/bytes.ts'
import { testPerson } from '../../support/persons.ts'

t.test('a claim answers one challenge, by one device, and nothing else', async (t) => {
  const platform = nodePlatform()
  const { deviceSeed, devicePk, rootPk } = testPerson(platform, 1)
  const challenge = platform.random(32)
  const signature = signRestoreClaim(platform, deviceSeed, challenge)
  t.equal(signature.length, 64)
  t.ok(isRestoreClaim(platform, devicePk, { challenge, signature }))
  t.notOk(isRestoreClaim(platform, rootPk, { challenge, signature }))
  t.notOk(isRestoreClaim(platform, devicePk, { challenge: platform.random(32), signature }))
  const longer = concatBytes(challenge, new Uint8Array(1))
  t.notOk(isRestoreClaim(platform, devicePk, { challenge: longer, signature }))
  t.notOk(platform.ed25519.verify(devicePk, challenge, signature), 'not without its label')
  const bare = platform.ed25519.sign(deviceSeed, challenge)
  t.notOk(isRestoreClaim(platform, devicePk, { challenge, signature: bare }))
})
