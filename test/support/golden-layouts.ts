/**
 * Every layout of base/crypto as a function of fixed bytes. `test/vectors/golden/crypto` keeps input and output
 * of each: where an output changes, what is stored and what other nodes send can no longer be read.
 * @module
 */

import {
  accountIdOf,
  didKeyOf,
  itemIdOf,
  mailboxIdOf,
  peerIdOf,
} from '../../src/base/crypto/address.ts'
import { signDeviceCertificate } from '../../src/base/crypto/certificate.ts'
import { restoreChallenge, signRestoreClaim } from '../../src/base/crypto/restore-claim.ts'
import { doorIdOf, doorKeyOf, doorProof } from '../../src/base/crypto/door.ts'
import { sealEnvelope } from '../../src/base/crypto/envelope.ts'
import { signIdentityDocument } from '../../src/base/crypto/identity-document.ts'
import { keyringIdOf, sealKeyringItem } from '../../src/base/crypto/keyring.ts'
import { formatContactLink } from '../../src/base/crypto/link.ts'
import { prekeyIdOf, signMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import { formatJoinLink, joinTokenHash } from '../../src/base/crypto/join-link.ts'
import { formatPeerCode, peerTokenHash } from '../../src/base/crypto/peer-code.ts'
import { noblePlatform } from '../../src/base/crypto/noble-platform.ts'
import { argon2Floor, wrapSecret } from '../../src/base/crypto/password.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import {
  formatShare,
  joinShares,
  parseShare,
  type RecoveryShare,
} from '../../src/base/crypto/recovery-share.ts'
import { signReceipt } from '../../src/base/crypto/receipt.ts'
import { safetyNumber } from '../../src/base/crypto/safety-number.ts'
import { sealNote } from '../../src/base/crypto/sealed-note.ts'
import { searchStamp } from '../../src/base/crypto/stamp.ts'
import {
  plainSlotKey,
  sealedSlotKey,
  signSlot,
  slotIdOf,
} from '../../src/base/crypto/slot-header.ts'
import { sealSlotBody, vaultGenerationOf } from '../../src/base/crypto/vault-cipher.ts'
import { rootKeysOf } from '../../src/base/crypto/words.ts'
import type { ItemId } from '../../src/base/util/brand.ts'
import { toHex, utf8 } from '../../src/base/util/bytes.ts'
import { slotClass } from '../../src/base/wire/slot.ts'
import { hex } from './vectors.ts'

export type Fields = Readonly<Record<string, string>>

/** noble, whose randomness is `bytes` and no more. */
function fixedRandom(bytes: Uint8Array): CryptoPlatform {
  let rest = bytes
  return noblePlatform({
    random(length) {
      if (length > rest.length) throw new Error('more randomness than the vector has')
      const taken = rest.slice(0, length)
      rest = rest.slice(length)
      return taken
    },
  })
}

const platform = fixedRandom(new Uint8Array())

function field(input: Fields, name: string): string {
  const value = input[name]
  if (value === undefined) throw new Error(`the vector has no ${name}`)
  return value
}

/** Keys of the vectors' one account. */
function keysOf(input: Fields) {
  const rootSeed = hex(field(input, 'rootSeed'))
  const deviceSeed = hex(field(input, 'deviceSeed'))
  const sealPk = platform.kem.publicKey(hex(field(input, 'sealSeed')))
  const account = platform.ed25519.publicKey(rootSeed)
  const signPk = platform.ed25519.publicKey(deviceSeed)
  const certificate = signDeviceCertificate(platform, rootSeed, {
    v: 1,
    account,
    signPk,
    sealPkHash: platform.sha256(sealPk),
    caps: 1,
    docSeq: 1,
  })
  return { rootSeed, deviceSeed, sealPk, account, signPk, certificate }
}

/** By the name of the vector: its outputs, from its inputs. */
export const goldenLayouts: Readonly<Record<string, (input: Fields) => Promise<Fields>>> = {
  async address(input) {
    const key = hex(field(input, 'publicKey'))
    const account = accountIdOf(key)
    return {
      account,
      did: didKeyOf(account),
      mailbox: toHex(mailboxIdOf(platform, key)),
      peerId: peerIdOf(key),
      itemOfKey: toHex(itemIdOf(platform, key)),
    }
  },

  async words(input) {
    const { rootSeed, recoverySeed } = rootKeysOf(platform, field(input, 'words').split(' '))
    return { rootSeed: toHex(rootSeed), recoverySeed: toHex(recoverySeed) }
  },

  async certificate(input) {
    return { signed: toHex(keysOf(input).certificate) }
  },

  async 'identity-document'(input) {
    const { rootSeed, account, certificate } = keysOf(input)
    const signed = signIdentityDocument(platform, rootSeed, {
      v: 1,
      account,
      seq: 7,
      devices: [platform.sha256(certificate)],
      revoked: [new Uint8Array(32).fill(0xaa)],
    })
    return { signed: toHex(signed) }
  },

  async 'mailbox-record'(input) {
    const { deviceSeed, account, sealPk, signPk, certificate } = keysOf(input)
    const signed = signMailboxRecord(platform, deviceSeed, {
      v: 1,
      account,
      seq: 2 ** 33,
      notBeforeHours: 490_000,
      notAfterHours: 499_600,
      suites: [1],
      prekey: sealPk,
      priorKeys: [{ keyId: new Uint8Array(8).fill(0xbb), untilHours: 490_168 }],
      hosts: [
        { peerId: peerIdOf(signPk), role: 'home', addresses: ['/ip4/192.0.2.1/tcp/4001'] },
        { peerId: peerIdOf(account), role: 'replica' },
      ],
      stampBits: 12,
      deviceCertificate: certificate,
    })
    return { prekeyId: toHex(prekeyIdOf(platform, sealPk)), signed: toHex(signed) }
  },

  async 'restore-claim'(input) {
    const { deviceSeed, account, signPk } = keysOf(input)
    const challenge = restoreChallenge({
      mailbox: mailboxIdOf(platform, account),
      source: peerIdOf(signPk),
      puller: peerIdOf(account),
      nonce: hex(field(input, 'nonce')),
    })
    const signature = signRestoreClaim(platform, deviceSeed, challenge)
    return { challenge: toHex(challenge), signature: toHex(signature) }
  },

  async receipt(input) {
    const seed = hex(field(input, 'machineSeed'))
    const signed = signReceipt((bytes) => platform.ed25519.sign(seed, bytes), {
      v: 1,
      as: 'home',
      ids: hex(field(input, 'ids')),
      holdUntilHours: 490_720,
    })
    return { signed: toHex(signed) }
  },

  async slot(input) {
    const { deviceSeed, account, signPk } = keysOf(input)
    const mailbox = mailboxIdOf(platform, account)
    const name = field(input, 'name')
    const nameKey = hex(field(input, 'nameKey'))
    const vaultKey = hex(field(input, 'vaultKey'))
    const key = sealedSlotKey(platform, nameKey, name)
    const version = 1_760_000_000_000_001
    const body = sealSlotBody(
      fixedRandom(hex(field(input, 'nonce'))),
      { vaultKey, mailbox, key, version },
      utf8(field(input, 'plain')),
    )
    const signed = signSlot(platform, deviceSeed, {
      class: slotClass.sealed,
      mailbox,
      key,
      version,
      bodyHash: platform.sha256(body),
      device: signPk,
    })
    return {
      plainKey: toHex(plainSlotKey(platform, mailbox, name)),
      sealedKey: toHex(key),
      generation: toHex(vaultGenerationOf(platform, vaultKey)),
      body: toHex(body),
      signed: toHex(signed),
      id: toHex(slotIdOf(platform, signed)),
    }
  },

  async door(input) {
    const key = doorKeyOf(platform, hex(field(input, 'token')))
    const mailbox = mailboxIdOf(platform, hex(field(input, 'rootPk')))
    const proof = doorProof(platform, key, mailbox, hex(field(input, 'item')) as ItemId)
    return { key: toHex(key), id: toHex(doorIdOf(platform, key)), proof: toHex(proof) }
  },

  async stamp(input) {
    const order = {
      mailbox: mailboxIdOf(platform, hex(field(input, 'rootPk'))),
      item: hex(field(input, 'item')) as ItemId,
      bits: Number(field(input, 'bits')),
    }
    const stamp = searchStamp(platform, { ...order, from: 0, tries: 100_000 })
    return { stamp: toHex(stamp ?? new Uint8Array()) }
  },

  async 'keyring-item'(input) {
    const secret = { kind: 'prekey', secret: hex(field(input, 'secret')) } as const
    const recipients = [field(input, 'firstSeed'), field(input, 'secondSeed')].map((seed) =>
      platform.kem.publicKey(hex(seed)),
    )
    const item = await sealKeyringItem(fixedRandom(hex(field(input, 'random'))), secret, recipients)
    return { id: toHex(keyringIdOf(platform, secret)), item: toHex(item) }
  },

  async 'sealed-note'(input) {
    const recipients = [field(input, 'firstSeed'), field(input, 'secondSeed')].map((seed) =>
      platform.kem.publicKey(hex(seed)),
    )
    const note = await sealNote(fixedRandom(hex(field(input, 'random'))), {
      recipients,
      context: utf8(field(input, 'context')),
      plain: hex(field(input, 'plain')),
    })
    return { note: toHex(note) }
  },

  async 'wrapped-secret'(input) {
    const wrapped = await wrapSecret(
      fixedRandom(hex(field(input, 'random'))),
      field(input, 'password'),
      hex(field(input, 'secret')),
      utf8(field(input, 'context')),
      argon2Floor,
    )
    return { wrapped: toHex(wrapped) }
  },

  async envelope(input) {
    const { deviceSeed, account, certificate } = keysOf(input)
    const envelope = await sealEnvelope(fixedRandom(hex(field(input, 'random'))), {
      recipientRoot: hex(field(input, 'recipientRoot')),
      prekey: platform.kem.publicKey(hex(field(input, 'prekeySeed'))),
      expiresAtHours: 490_720,
      deviceSeed,
      letter: {
        v: 1,
        from: account,
        deviceCertificate: certificate,
        msgId: hex(field(input, 'msgId')),
        sentAt: 1_764_000_000_000,
        type: 'text',
        body: utf8(field(input, 'body')),
        recordSeq: 5,
      },
    })
    return { envelope: toHex(envelope) }
  },

  async 'safety-number'(input) {
    return {
      number: safetyNumber(platform, hex(field(input, 'rootA')), hex(field(input, 'rootB'))),
    }
  },

  async 'contact-link'(input) {
    const link = formatContactLink(accountIdOf(hex(field(input, 'rootPk'))), {
      v: 1,
      home: {
        peerId: peerIdOf(hex(field(input, 'machinePk'))),
        role: 'home',
        addresses: ['/ip4/192.0.2.1/tcp/4001', '/ip6/2001:db8::1/tcp/4001'],
      },
      token: hex(field(input, 'token')),
    })
    return { link }
  },

  async 'peer-code'(input) {
    const token = hex(field(input, 'token'))
    const code = formatPeerCode({
      v: 1,
      peerId: peerIdOf(hex(field(input, 'machinePk'))),
      addresses: ['/ip4/192.0.2.1/tcp/4180', '/ip4/192.0.2.1/udp/4180/quic-v1'],
      token,
      expiresAtHours: 490_720,
    })
    return { code, tokenHash: toHex(peerTokenHash(platform, token)) }
  },

  async 'recovery-share'(input) {
    const shares = ['first', 'second', 'third'].map((name) => hex(field(input, name)))
    const [first, second, third] = shares.map(parseShare) as [
      RecoveryShare,
      RecoveryShare,
      RecoveryShare,
    ]
    const words = await joinShares(platform, [first, third])
    const same = await joinShares(platform, [third, second])
    return {
      ...Object.fromEntries(shares.map((share, n) => [`text${n + 1}`, formatShare(share)])),
      words: words.join(' '),
      same: same.join(' '),
    }
  },

  async 'join-link'(input) {
    const token = hex(field(input, 'token'))
    const link = formatJoinLink({
      v: 1,
      peerId: peerIdOf(hex(field(input, 'machinePk'))),
      addresses: ['/ip4/192.0.2.1/tcp/4180', '/ip4/192.0.2.1/udp/4180/quic-v1'],
      role: 'child',
      token,
      expiresAtHours: 490_720,
    })
    return { link, tokenHash: toHex(joinTokenHash(platform, token)) }
  },
}
