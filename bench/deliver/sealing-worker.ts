/** A thread that seals a share of the parcels: one core would take half a minute. @module */

import { parentPort, workerData } from 'node:worker_threads'
import { itemIdOf } from '../../src/base/crypto/address.ts'
import { doorProof } from '../../src/base/crypto/door.ts'
import { sealEnvelope } from '../../src/base/crypto/envelope.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { encode } from '../../src/base/wire/codec.ts'
import type { Letter } from '../../src/base/wire/letter.ts'
import type { Parcel } from '../../src/machine/mailbox/courier.ts'
import { newPerson, type Person, type Recipient } from './people.ts'

export interface SealingInit {
  readonly recipients: readonly Recipient[]
  readonly count: number
  readonly expiresAtHours: number
  readonly sentAtMs: number
}

const textBytes = 1024

/** A letter of 1 KiB of text, never the same twice. */
function newLetter(platform: CryptoPlatform, sender: Person, sentAtMs: number): Letter {
  const text = Buffer.from(platform.random((textBytes / 4) * 3)).toString('base64')
  return {
    v: 1,
    from: sender.rootPk,
    deviceCertificate: sender.certificate,
    msgId: platform.random(16),
    sentAt: sentAtMs,
    type: 'text',
    body: encode({ text, name: 'Sender' }),
    recordSeq: 1,
  }
}

async function seal(
  platform: CryptoPlatform,
  { recipients, count, expiresAtHours, sentAtMs }: SealingInit,
): Promise<Parcel[]> {
  const sender = newPerson(platform)
  const parcels: Parcel[] = []
  for (let n = 0; n < count; n++) {
    const recipient = recipients[n % recipients.length] as Recipient
    const { mailbox, doorId, doorKey } = recipient
    const envelope = await sealEnvelope(platform, {
      recipientRoot: recipient.rootPk,
      prekey: recipient.prekey,
      expiresAtHours,
      deviceSeed: sender.deviceSeed,
      letter: newLetter(platform, sender, sentAtMs),
    })
    const id = itemIdOf(platform, envelope)
    const proof = doorProof(platform, doorKey, mailbox, id)
    parcels.push({ id, mailbox, doorId, proof, envelope })
  }
  return parcels
}

parentPort?.postMessage(await seal(nodePlatform(), workerData as SealingInit))
