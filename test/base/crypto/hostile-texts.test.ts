// Tens of thousands of seeded hostile inputs for each parser of what people paste.
import t from 'tap'
import { base64urlnopad } from '@scure/base'
import {
  accountIdOf,
  didKeyOf,
  parseAccountId,
  parsePeerId,
  peerIdOf,
} from '../../../src/base/crypto/address.ts'
import { formatContactLink, parseContactLink } from '../../../src/base/crypto/link.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { formatPeerCode, parsePeerCode } from '../../../src/base/crypto/peer-code.ts'
import { newWords, parseWords } from '../../../src/base/crypto/words.ts'
import { utf8 } from '../../../src/base/util/bytes.ts'
import { hostileInputsEach } from '../../support/hostile-count.ts'
import { testPerson } from '../../support/persons.ts'
import { withstands } from '../../support/withstands.ts'
import { hostileText } from '../../support/permissive-platform.ts'

const inputs = hostileInputsEach

const real = nodePlatform()
const alice = testPerson(real, 1)

const account = accountIdOf(alice.rootPk)
const machine = peerIdOf(alice.devicePk)
const link = formatContactLink(account, {
  v: 1,
  home: { peerId: machine, role: 'home', addresses: ['/ip4/192.0.2.7/tcp/4001'] },
  token: new Uint8Array(32).fill(7),
})

t.test('parseAccountId', async (t) => {
  await withstands(t, (input) => parseAccountId(hostileText(input)), {
    samples: [utf8(account), utf8(account.toUpperCase()), utf8(didKeyOf(account))],
    seed: 1,
    count: inputs,
    codes: ['ABZU_ADDRESS_INVALID'],
  })
})

t.test('parsePeerId', async (t) => {
  await withstands(t, (input) => parsePeerId(hostileText(input)), {
    samples: [utf8(machine), utf8('QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N')],
    seed: 2,
    count: inputs,
    codes: ['ABZU_ADDRESS_INVALID'],
  })
})

t.test('parseWords', async (t) => {
  const twelve = 'legal winner thank year wave sausage worth useful legal winner thank yellow'
  const outcomes = await withstands(t, (input) => parseWords(hostileText(input)), {
    samples: [utf8(newWords(real).join(' ')), utf8(twelve)],
    seed: 3,
    count: inputs,
    codes: ['ABZU_WORDS_INVALID'],
  })
  t.ok((outcomes.get('ABZU_WORDS_INVALID') ?? 0) > inputs / 2)
})

t.test('parseContactLink: the whole text', async (t) => {
  await withstands(t, (input) => parseContactLink(hostileText(input)), {
    samples: [utf8(link), utf8(link.replace(account, didKeyOf(account)))],
    seed: 4,
    count: inputs,
    codes: ['ABZU_LINK_INVALID'],
  })
})

t.test('parseContactLink: behind the hash', async (t) => {
  const [head, content = ''] = link.split('#')
  await withstands(
    t,
    (input) => parseContactLink(`${head}#${base64urlnopad.encode(input.subarray(0, 3000))}`),
    {
      samples: [base64urlnopad.decode(content)],
      seed: 5,
      count: inputs,
      codes: ['ABZU_LINK_INVALID'],
    },
  )
})

const code = formatPeerCode({
  v: 1,
  peerId: machine,
  addresses: ['/ip4/192.0.2.7/tcp/4001'],
  token: new Uint8Array(16).fill(7),
  expiresAtHours: 490_720,
})

t.test('parsePeerCode: the whole text', async (t) => {
  await withstands(t, (input) => parsePeerCode(hostileText(input)), {
    samples: [utf8(code)],
    seed: 6,
    count: inputs,
    codes: ['ABZU_LINK_INVALID'],
  })
})

t.test('parsePeerCode: behind the colon', async (t) => {
  const [scheme, content = ''] = code.split(':')
  await withstands(
    t,
    (input) => parsePeerCode(`${scheme}:${base64urlnopad.encode(input.subarray(0, 3000))}`),
    {
      samples: [base64urlnopad.decode(content)],
      seed: 7,
      count: inputs,
      codes: ['ABZU_LINK_INVALID'],
    },
  )
})
