/** Parcels, sealed before any clock starts. @module */

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { doorProof } from '../../src/base/crypto/door.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { toHex } from '../../src/base/util/bytes.ts'
import type { DoorPass } from '../../src/base/wire/deliver.ts'
import type { Parcel } from '../../src/machine/mailbox/courier.ts'
import type { PartContext } from '../harness.ts'
import { newPrekey, newRecipient, type Recipient } from './people.ts'
import type { SealingInit } from './sealing-worker.ts'

const recipientsCount = 8
const rehearsals = 3
const hourMs = 3_600_000

/** Distinct parcels, which a store keeps once each, and the mailboxes that they are for. */
export interface Post {
  readonly recipients: readonly Recipient[]
  /** To be measured with. */
  readonly parcels: readonly Parcel[]
  /** To warm up with, three times as many: the same envelopes for other mailboxes that happen to have the
   *  same prekeys, which only a recipient could tell. Sealing more would take longer than the benchmark. */
  readonly rehearsal: readonly Parcel[]
}

/** Seals `count` parcels on all cores. */
export async function sealPost(
  platform: CryptoPlatform,
  { clock, signal, progress }: Pick<PartContext, 'clock' | 'signal' | 'progress'>,
  count: number,
): Promise<Post> {
  progress(`sealing ${count} letters`)
  const sentAtMs = clock.nowMs()
  const nowHours = Math.floor(sentAtMs / hourMs)
  const prekeys = Array.from({ length: recipientsCount }, () => newPrekey(platform))
  const named = () => prekeys.map((prekey) => newRecipient(platform, { nowHours, prekey }))
  const recipients = named()
  const doubles = Array.from({ length: rehearsals }, named)
  const threads = availableParallelism()
  const init = { recipients, count: Math.ceil(count / threads), sentAtMs }
  const shares = await Promise.all(
    Array.from({ length: threads }, () => seal({ ...init, expiresAtHours: nowHours + 24 }, signal)),
  )
  const parcels = shares.flat()
  const rehearsal = doubles.flatMap((to) => readdress(platform, parcels, { from: recipients, to }))
  return { recipients: [...recipients, ...doubles.flat()], parcels, rehearsal }
}

type DoorParcel = Parcel & DoorPass

function readdress(
  platform: CryptoPlatform,
  parcels: readonly DoorParcel[],
  { from, to }: { from: readonly Recipient[]; to: readonly Recipient[] },
): DoorParcel[] {
  const doubles = new Map(from.map(({ doorId }, n) => [toHex(doorId), to[n]]))
  return parcels.map((parcel) => {
    const double = doubles.get(toHex(parcel.doorId))
    if (!double) throw new Error('a parcel for an unknown recipient')
    const { mailbox, doorId, doorKey } = double
    return { ...parcel, mailbox, doorId, proof: doorProof(platform, doorKey, mailbox, parcel.id) }
  })
}

function seal(init: SealingInit, signal: AbortSignal): Promise<DoorParcel[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('sealing-worker.ts', import.meta.url), { workerData: init })
    const stop = () => {
      reject(signal.reason as Error)
      void worker.terminate()
    }
    signal.addEventListener('abort', stop, { once: true })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => {
      signal.removeEventListener('abort', stop)
      reject(new Error('a sealing thread ended early'))
    })
  })
}
