import t from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { utf8 } from '../../../src/base/util/bytes.ts'
import {
  claimedPeerName,
  parsePeerName,
  untakenName,
} from '../../../src/machine/federation/peer-name.ts'

const peerId = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp' as PeerId

t.test('a name that is typed is taken as it is or not at all', async (t) => {
  t.equal(parsePeerName("  Ann's box "), "Ann's box")
  t.equal(parsePeerName('A\u030Asa'), '\u00C5sa', 'in NFC')
  t.equal(parsePeerName('👋'.repeat(32)), '👋'.repeat(32), '128 bytes')
  t.equal(parsePeerName('x'.repeat(64)).length, 64)
  const wrong = ['', ' ', 'x'.repeat(65), '👋'.repeat(33), 'a\nb', '\u001b[2J', '\u202Ex', peerId]
  for (const name of wrong) {
    t.throws(() => parsePeerName(name), { code: 'ABZU_INVALID_ARGUMENT' }, JSON.stringify(name))
  }
})

t.test('a name that is claimed is made harmless', async (t) => {
  t.equal(claimedPeerName(' box ', peerId), 'box')
  t.equal(claimedPeerName('', peerId), 'node c6iDEp')
  t.equal(claimedPeerName(peerId, peerId), 'node c6iDEp')
  t.equal(claimedPeerName('a\u001bb', peerId), 'a<U+001B>b')
  t.equal(claimedPeerName('\uD800', peerId), '\uFFFD')
  const long = untakenName(
    claimedPeerName('語'.repeat(128), peerId),
    (name) => !name.endsWith(' 63'),
  )
  t.ok(utf8(long).length <= 128, 'with the longest number behind')
  t.equal(parsePeerName(long), long)
})

t.test('a name that is taken gets a number', async (t) => {
  const taken = new Set(['box', 'box 2'])
  t.equal(
    untakenName('box', (name) => taken.has(name)),
    'box 3',
  )
  t.equal(
    untakenName('other', (name) => taken.has(name)),
    'other',
  )
})
