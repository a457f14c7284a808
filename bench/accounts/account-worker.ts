/** A thread that makes accounts: the words of each cost 20 ms of work. @module */

import { parentPort, workerData } from 'node:worker_threads'
import { mailboxIdOf } from '../../src/base/crypto/address.ts'
import { doorIdOf, doorKeyOf } from '../../src/base/crypto/door.ts'
import { prekeyIdOf } from '../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { Argon2Params, CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { unverifiedRecord } from '../../src/base/crypto/mailbox-record.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { toHex, utf8 } from '../../src/base/util/bytes.ts'
import { systemClock as clock } from '../../src/base/util/system-time.ts'
import { parsePlainSlot, plainSlotKind } from '../../src/base/wire/plain-slot.ts'
import type { Host } from '../../src/base/wire/records.ts'
import { encodeAccountRow, wrapDevice } from '../../src/user/account/account-row.ts'
import { Doors } from '../../src/user/account/doors.ts'
import { newAccount } from '../../src/user/account/new-account.ts'
import type { SignedSlot } from '../../src/user/account/ports.ts'
import { signDrafts } from '../../src/user/account/slot-draft.ts'
import { VersionClock } from '../../src/user/account/version-clock.ts'

export interface AccountsInit {
  readonly home: Host
  /** Numbers in the names of the accounts. */
  readonly from: number
  readonly count: number
  readonly password: string
  readonly cost: Argon2Params
}

/** What is made of one account: everything that its node keeps, and what a contact knows of it. */
export interface MadeAccount {
  readonly rootPk: Uint8Array
  readonly mailbox: MailboxId
  readonly slots: readonly SignedSlot[]
  /** Encoded. */
  readonly row: Uint8Array
  /** 8 bytes: the prekey that seals for it. */
  readonly keyId: Uint8Array
  readonly doorId: Uint8Array
  readonly doorKey: Uint8Array
}

/** Hashes each password once: all accounts have the same, and the same salt. */
function hashingOnce(platform: CryptoPlatform): CryptoPlatform {
  const salt = platform.random(16)
  const known = new Map<string, Promise<Uint8Array>>()
  return {
    ...platform,
    random: (length) => (length === salt.length ? salt.slice() : platform.random(length)),
    argon2id: async (password, salt, params) => {
      const key = `${toHex(password)} ${toHex(salt)} ${JSON.stringify(params)}`
      const hash = known.get(key) ?? platform.argon2id(password, salt, params)
      known.set(key, hash)
      return (await hash).slice()
    },
  }
}

/** The way of `Newcomers.create`, as far as it is about the account alone. */
async function make({ home, from, count, password, cost }: AccountsInit): Promise<MadeAccount[]> {
  const platform = nodePlatform()
  const wrapping = hashingOnce(platform)
  const accounts: MadeAccount[] = []
  for (let n = from; n < from + count; n++) {
    const made = await newAccount(platform, { home, strangers: 'welcome', clock })
    const { rootPk, recoveryPk, device, slots } = made
    const mailbox = mailboxIdOf(platform, rootPk)
    const door = new Doors({ platform, mailbox, clock, stored: [] }).forContact()
    const versions = new VersionClock(clock)
    const opened = signDrafts({ platform, mailbox, device, versions }, [door.draft])
    const init = { device, rootPk, password: utf8(password), cost }
    const wrappedDevice = await wrapDevice(wrapping, init)
    const { certificate } = device
    const role = n === 0 ? 'admin' : 'adult'
    const doorKey = doorKeyOf(platform, door.token)
    accounts.push({
      rootPk,
      mailbox,
      slots: [...slots, ...opened],
      row: encodeAccountRow({
        v: 1,
        rootPk,
        name: `person-${n}`,
        role,
        certificate,
        recoveryPk,
        wrappedDevice,
      }),
      keyId: keyIdOf(platform, slots),
      doorId: doorIdOf(platform, doorKey),
      doorKey,
    })
    device.wipe()
  }
  return accounts
}

function keyIdOf(platform: CryptoPlatform, slots: readonly SignedSlot[]): Uint8Array {
  const plain = slots.map(({ body }) => parsePlainSlot(body))
  const record = plain.find(({ kind }) => kind === plainSlotKind.record)
  if (!record) throw new Error('an account without a record')
  return prekeyIdOf(platform, unverifiedRecord(record.content).prekey)
}

parentPort?.postMessage(await make(workerData as AccountsInit))
