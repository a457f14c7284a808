// Golden vectors: every layout of base/crypto gives the bytes it always gave, and both platforms read them.
import t from 'tap'
import { readdirSync } from 'node:fs'
import { mailboxIdOf, parseAccountId, parsePeerId } from '../../../src/base/crypto/address.ts'
import { openDeviceCertificate } from '../../../src/base/crypto/certificate.ts'
import { openEnvelope } from '../../../src/base/crypto/envelope.ts'
import { openIdentityDocument } from '../../../src/base/crypto/identity-document.ts'
import { openKeyringItem } from '../../../src/base/crypto/keyring.ts'
import { parseContactLink } from '../../../src/base/crypto/link.ts'
import { openMailboxRecord } from '../../../src/base/crypto/mailbox-record.ts'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { unwrapSecret } from '../../../src/base/crypto/password.ts'
import { parsePeerCode, peerTokenHash } from '../../../src/base/crypto/peer-code.ts'
import type { CryptoPlatform } from '../../../src/base/crypto/platform.ts'
import { joinShares, parseShareText } from '../../../src/base/crypto/recovery-share.ts'
import { openReceipt } from '../../../src/base/crypto/receipt.ts'
import { openNote } from '../../../src/base/crypto/sealed-note.ts'
import { isStamp } from '../../../src/base/crypto/stamp.ts'
import { verifySlot } from '../../../src/base/crypto/slot-header.ts'
import { openSlotBody } from '../../../src/base/crypto/vault-cipher.ts'
import type { ItemId } from '../../../src/base/util/brand.ts'
import { fromUtf8, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { parseSlotHeader } from '../../../src/base/wire/slot.ts'
import { goldenLayouts, type Fields } from '../../support/golden-layouts.ts'
import { hex, readVectors } from '../../support/vectors.ts'

interface Vector {
  readonly input: Fields
  readonly output: Fields
}

const node = nodePlatform()
const platforms = [node, noblePlatform({ random: (length) => node.random(length) })]

t.test('every layout has a vector, and every vector a layout', (t) => {
  const files = readdirSync(new URL('../../vectors/golden/crypto/', import.meta.url))
  const names = Object.keys(goldenLayouts).map((name) => `${name}.json`)
  t.same(files.toSorted(), names.toSorted())
  t.ok(names.length >= 13)
  t.end()
})

for (const [name, layout] of Object.entries(goldenLayouts)) {
  t.test(`${name}: the same bytes as ever`, async (t) => {
    const { input, output } = readVectors<Vector>(`golden/crypto/${name}`)
    t.same(await layout(input), output)
  })
}

/** Reads the vector `name` with each platform. */
function reads(
  name: string,
  read: (
    platform: CryptoPlatform,
    bytesOf: (field: string) => Uint8Array,
    textOf: (field: string) => string,
  ) => Promise<readonly (readonly [actual: unknown, expected: unknown])[]>,
): void {
  t.test(`${name}: read by both platforms`, async (t) => {
    const { input, output } = readVectors<Vector>(`golden/crypto/${name}`)
    const textOf = (field: string) => ({ ...input, ...output })[field] ?? ''
    for (const platform of platforms) {
      for (const [actual, expected] of await read(
        platform,
        (field) => hex(textOf(field)),
        textOf,
      )) {
        t.same(actual, expected)
      }
    }
  })
}

reads('address', async (_platform, _bytesOf, textOf) => [
  [parseAccountId(textOf('account')), textOf('account')],
  [parseAccountId(textOf('did')), textOf('account')],
  [parsePeerId(textOf('peerId')), textOf('peerId')],
])

reads('certificate', async (platform, bytesOf) => [
  [
    openDeviceCertificate(platform, bytesOf('signed')).account,
    platform.ed25519.publicKey(bytesOf('rootSeed')),
  ],
])

reads('identity-document', async (platform, bytesOf) => {
  const rootPk = platform.ed25519.publicKey(bytesOf('rootSeed'))
  return [[openIdentityDocument(platform, bytesOf('signed'), rootPk).seq, 7]]
})

reads('mailbox-record', async (platform, bytesOf) => {
  const rootPk = platform.ed25519.publicKey(bytesOf('rootSeed'))
  return [[openMailboxRecord(platform, bytesOf('signed'), rootPk).seq, 2 ** 33]]
})

reads('stamp', async (platform, bytesOf, textOf) => {
  const order = {
    mailbox: mailboxIdOf(platform, bytesOf('rootPk')),
    item: bytesOf('item') as ItemId,
    bits: Number(textOf('bits')),
  }
  return [
    [isStamp(platform, order, bytesOf('stamp')), true],
    [isStamp(platform, { ...order, bits: order.bits + 1 }, bytesOf('stamp')), false],
  ]
})

reads('receipt', async (platform, bytesOf) => {
  const machinePk = platform.ed25519.publicKey(bytesOf('machineSeed'))
  return [[openReceipt(platform, machinePk, bytesOf('signed')).ids, bytesOf('ids')]]
})

reads('slot', async (platform, bytesOf, textOf) => {
  const { header } = parseSlotHeader(bytesOf('signed'))
  const place = { ...header, vaultKey: bytesOf('vaultKey') }
  return [
    [verifySlot(platform, bytesOf('signed')), true],
    [header.bodyHash, platform.sha256(bytesOf('body'))],
    [fromUtf8(openSlotBody(platform, place, bytesOf('body'))), textOf('plain')],
  ]
})

reads('keyring-item', async (platform, bytesOf) => {
  const expected = { kind: 'prekey', secret: bytesOf('secret') }
  return [
    [await openKeyringItem(platform, bytesOf('item'), bytesOf('firstSeed')), expected],
    [await openKeyringItem(platform, bytesOf('item'), bytesOf('secondSeed')), expected],
  ]
})

reads('sealed-note', async (platform, bytesOf, textOf) => {
  const context = utf8(textOf('context'))
  return Promise.all(
    ['firstSeed', 'secondSeed'].map(async (name) => {
      const opened = await openNote(platform, {
        note: bytesOf('note'),
        context,
        seed: bytesOf(name),
      })
      return [opened, bytesOf('plain')] as [Uint8Array, Uint8Array]
    }),
  )
})

reads('wrapped-secret', async (platform, bytesOf, textOf) => {
  const context = utf8(textOf('context'))
  const secret = await unwrapSecret(platform, textOf('password'), bytesOf('wrapped'), context)
  return [[toHex(secret), textOf('secret')]]
})

reads('envelope', async (platform, bytesOf, textOf) => {
  const { letter, certificate } = await openEnvelope(platform, {
    envelope: bytesOf('envelope'),
    recipientRoot: bytesOf('recipientRoot'),
    prekeySeed: bytesOf('prekeySeed'),
  })
  return [
    [fromUtf8(letter.body), textOf('body')],
    [letter.msgId, bytesOf('msgId')],
    [certificate.signPk, platform.ed25519.publicKey(bytesOf('deviceSeed'))],
  ]
})

reads('contact-link', async (_platform, bytesOf, textOf) => [
  [parseContactLink(textOf('link')).link.token, bytesOf('token')],
])

reads('peer-code', async (platform, bytesOf, textOf) => {
  const { token, expiresAtHours } = parsePeerCode(textOf('code'))
  return [
    [token, bytesOf('token')],
    [expiresAtHours, 490_720],
    [peerTokenHash(platform, token), bytesOf('tokenHash')],
  ]
})

reads('recovery-share', async (platform, _bytesOf, textOf) => {
  const shares = ['text1', 'text2'].map((name) => parseShareText(textOf(name)))
  return [[(await joinShares(platform, shares)).join(' '), textOf('words')]]
})
