import t from 'tap'
import { base64urlnopad } from '@scure/base'
import { accountIdOf, didKeyOf, peerIdOf } from '../../../src/base/crypto/address.ts'
import { formatContactLink, parseContactLink } from '../../../src/base/crypto/link.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import type { ContactLink } from '../../../src/base/wire/records.ts'
import { testPerson } from '../../support/persons.ts'

const platform = nodePlatform()
const alice = testPerson(platform, 1)
const account = accountIdOf(alice.rootPk)
const link: ContactLink = {
  v: 1,
  home: {
    peerId: peerIdOf(alice.devicePk),
    role: 'home',
    addresses: ['/ip4/192.0.2.7/tcp/4001'],
  },
  token: new Uint8Array(32).fill(7),
}
const text = formatContactLink(account, link)
const linkOf = (value: Parameters<typeof encode>[0]) =>
  `abzu:${account}#${base64urlnopad.encode(encode(value))}`

t.test('a link gives back what it was made of', (t) => {
  t.match(text, /^abzu:abzu1[0-9a-z]{59}#[A-Za-z0-9_-]+$/)
  t.same(parseContactLink(text), { account, link })
  const bare = { ...link, home: { peerId: link.home.peerId, role: 'home' as const } }
  t.same(parseContactLink(formatContactLink(account, bare)).link, bare, 'without addresses')
  t.end()
})

t.test('the account may be written as its did', (t) => {
  t.equal(parseContactLink(text.replace(account, didKeyOf(account))).account, account)
  t.end()
})

t.test('the largest link fits', (t) => {
  const addresses = Array.from({ length: 8 }, () => `/dns4/${'x'.repeat(250)}`)
  const largest = { ...link, home: { ...link.home, addresses } }
  t.same(parseContactLink(formatContactLink(account, largest)).link, largest)
  t.end()
})

t.test('what is no link', (t) => {
  const [head, content = ''] = text.split('#')
  for (const [what, wrong] of Object.entries({
    'an empty text': '',
    'an account alone': account,
    'no content': `${head}#`,
    'no hash': `${head}`,
    'two contents': `${text}#${content}`,
    'no scheme': text.slice(5),
    'another scheme': text.replace('abzu:', 'http:'),
    'a broken account': text.replace('abzu1q', 'abzu1p'),
    'standard base64': text.replace('#', '#+/'),
    'padded base64': `${text}==`,
    'cut short': text.slice(0, -3),
    'a letter too many': `${text}A`,
    'a space': text.replace('#', '# '),
    'a field too many': linkOf({ ...link, more: 1 }),
    'another version': linkOf({ ...link, v: 2 }),
    'a short token': linkOf({ ...link, token: new Uint8Array(31) }),
    'a role unknown': linkOf({ ...link, home: { ...link.home, role: 'roof' } }),
    'a peer id that is none': linkOf({ ...link, home: { ...link.home, peerId: 'nobody' } }),
    'no end': `${text}${'A'.repeat(10_000_000)}`,
  })) {
    t.throws(() => parseContactLink(wrong), { code: 'ABZU_LINK_INVALID' }, what)
  }
  t.throws(() => formatContactLink(account, { ...link, token: new Uint8Array(3) }), {
    code: 'ABZU_MALFORMED',
  })
  t.end()
})

t.test('every changed character is noticed or changes nothing but the content', (t) => {
  let refused = 0
  for (let i = 0; i < text.length; i++) {
    const wrong = text.slice(0, i) + (text[i] === 'x' ? 'y' : 'x') + text.slice(i + 1)
    try {
      t.equal(parseContactLink(wrong).account, account)
    } catch (error) {
      t.match(error, { code: 'ABZU_LINK_INVALID' })
      refused++
    }
  }
  t.ok(refused > 69, `${refused} refused`)
  t.end()
})
