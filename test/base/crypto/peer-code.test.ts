import t from 'tap'
import { base64urlnopad } from '@scure/base'
import { peerIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { formatPeerCode, parsePeerCode, peerTokenHash } from '../../../src/base/crypto/peer-code.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import { testPerson } from '../../support/persons.ts'

const platform = nodePlatform()
const code = {
  v: 1 as const,
  peerId: peerIdOf(testPerson(platform, 1).devicePk),
  addresses: ['/ip4/192.0.2.7/tcp/4180'],
  token: new Uint8Array(16).fill(7),
  expiresAtHours: 490_720,
}
const text = formatPeerCode(code)
const codeOf = (value: Parameters<typeof encode>[0]) =>
  `abzu-peer:${base64urlnopad.encode(encode(value))}`

t.test('a code gives back what it was made of', async (t) => {
  t.match(text, /^abzu-peer:[A-Za-z0-9_-]+$/)
  t.same(parsePeerCode(text), code)
  const addresses = Array.from({ length: 8 }, () => `/dns4/${'x'.repeat(250)}`)
  const largest = { ...code, addresses }
  t.same(parsePeerCode(formatPeerCode(largest)), largest, 'the largest fits')
})

t.test('what is no code', async (t) => {
  for (const [what, wrong] of Object.entries({
    'an empty text': '',
    'no content': 'abzu-peer:',
    'no scheme': text.slice(10),
    'another scheme': text.replace('abzu-peer:', 'abzu:'),
    'standard base64': text.replace(':', ':+/'),
    'padded base64': `${text}==`,
    'cut short': text.slice(0, -3),
    'a letter too many': `${text}A`,
    'a space before': ` ${text}`,
    'a field too many': codeOf({ ...code, more: 1 }),
    'another version': codeOf({ ...code, v: 2 }),
    'a short token': codeOf({ ...code, token: new Uint8Array(15) }),
    'a long token': codeOf({ ...code, token: new Uint8Array(17) }),
    'too many addresses': codeOf({ ...code, addresses: Array(9).fill('/ip4/1.2.3.4/tcp/1') }),
    'a time that is none': codeOf({ ...code, expiresAtHours: -1 }),
    'a peer id that is none': codeOf({ ...code, peerId: 'nobody' }),
    'no end': `${text}${'A'.repeat(10_000_000)}`,
  })) {
    t.throws(() => parsePeerCode(wrong), { code: 'ABZU_LINK_INVALID' }, what)
  }
  t.throws(() => formatPeerCode({ ...code, token: new Uint8Array(3) }), { code: 'ABZU_MALFORMED' })
})

t.test('the hash of a token is no other hash of it', async (t) => {
  const hash = peerTokenHash(platform, code.token)
  t.equal(hash.length, 32)
  t.notSame(hash, platform.sha256(code.token))
})
