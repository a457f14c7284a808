/**
 * The keys to which mail is sealed: a new one each day, and honest destruction. A private prekey goes
 * once it was superseded, its end has passed, and the mailbox was drained after that: until then mail
 * that only it opens could still lie there; afterwards nobody opens such mail any more.
 * @see docs/protocol.md#delivery
 * @module
 */

import { openMailboxRecord, prekeyIdOf } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { mapKey } from '../../base/util/bytes.ts'
import { type Clock, hoursOf } from '../../base/util/clock.ts'
import { encode } from '../../base/wire/codec.ts'
import { plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import type { Host, MailboxRecord } from '../../base/wire/records.ts'
import type { Device } from './device.ts'
import { keyringDraft, keyringSlotName, type Keyring, type Prekey } from './keyring.ts'
import {
  closingRecord,
  leavingRecord,
  movedRecord,
  type NextHosts,
  rotatedRecord,
  strangersRecord,
  surpassingRecord,
  type Strangers,
} from './own-record.ts'
import { readOwnRecord, type SignedRecord } from './plain-slots.ts'
import type { MailboxPort } from './ports.ts'
import { Serial } from './serial.ts'
import { emptyPlainDraft, plainDraft, type SlotDraft } from './slot-draft.ts'

export interface PrekeysInit {
  readonly platform: CryptoPlatform
  readonly clock: Pick<Clock, 'nowMs'>
  readonly port: MailboxPort
  readonly rootPk: Uint8Array
  readonly device: Device
  readonly keyring: Keyring
  /** X-Wing public keys that can open the keyring now. */
  readonly recipients: () => readonly Uint8Array[]
  readonly record: SignedRecord
  /** @throws {AbzuError} ABZU_ACCOUNT_MOVED where the record says that this is the home no more */
  readonly expectHome: (record: Uint8Array) => void
  readonly write: (drafts: readonly SlotDraft[]) => Promise<void>
  /** See `DirectoryPort.isCovered`. */
  readonly isCovered: () => Promise<boolean>
}

const rotationHours = 24
/** A delivery that was let in at the last moment is durable by then. */
const graceHours = 1

export class Prekeys {
  readonly #init: PrekeysInit
  readonly #changes = new Serial()
  #record: SignedRecord
  /** Made, and not named by a record yet. */
  #next: Prekey | undefined
  /** The next one is wanted before its day. */
  #isRenewed = false
  /** The last record is signed. */
  #isClosed = false

  constructor(init: PrekeysInit) {
    this.#init = init
    this.#record = init.record
  }

  /** The newest record that this account has signed. */
  get record(): SignedRecord {
    return this.#record
  }

  /** Signs a record that names the hosts which follow those of the last one, where they are others. */
  async follow(hostsAfter: (named: readonly Host[]) => Promise<NextHosts>): Promise<void> {
    await this.#change(async (record) => {
      const next = await hostsAfter(record.hosts)
      const last = record.hosts.filter(({ role }) => role !== 'former')
      const isSame = mapKey(listed(last)) === mapKey(listed(next.hosts))
      return isSame ? undefined : movedRecord(this.#init, record, next)
    })
  }

  /** Signs a record by which the account lives at `home` from now on; `store` makes it durable. */
  async leaveFor(
    home: Host,
    store: (drafts: readonly SlotDraft[]) => Promise<void>,
  ): Promise<void> {
    await this.#change((record) => leavingRecord(this.#init, record, home), store)
  }

  /** Signs a record by which the account lives nowhere any more, also where another node has shown `ahead`; `keep` makes it
   *  durable, outside the mailbox. Nothing is signed after it. */
  async close(
    ahead: Uint8Array | undefined,
    keep: (signed: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const { platform, rootPk } = this.#init
    await this.#changes.run(async () => {
      await this.#refresh()
      const { signed, record } = this.#record
      this.#init.expectHome(signed)
      const other = ahead && openMailboxRecord(platform, ahead, rootPk)
      const seqSeen = Math.max(record.seq, other?.seq ?? 0)
      await keep(closingRecord(this.#init, record, { seqSeen, nowHours: this.#nowHours() }))
      this.#isClosed = true
    })
  }

  /** Whether people without a token may write, by the newest record. */
  get strangers(): Strangers {
    return this.#record.record.stampBits > 0 ? 'welcome' : 'refused'
  }

  /** Signs a record that says whether people without a token may write, where the last one does not. */
  async letStrangersBe(strangers: Strangers): Promise<void> {
    await this.#change((record) =>
      this.strangers === strangers ? undefined : strangersRecord(this.#init, record, strangers),
    )
  }

  /** Signs a record that replaces `ahead`, which another node showed to be newer than ours: what this home says
   *  counts.
   *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
  async surpass(ahead: Uint8Array): Promise<void> {
    const { platform, rootPk } = this.#init
    const other = openMailboxRecord(platform, ahead, rootPk)
    await this.#change((record) =>
      // above the last number nothing counts but another identity document
      other.seq < record.seq || other.seq >= Number.MAX_SAFE_INTEGER
        ? undefined
        : surpassingRecord(this.#init, record, other),
    )
  }

  /** Puts a fresh prekey into the record where the last one is older than a day, or was lost. Where there are holders,
   *  one of them has its private half first: else mail to it would be lost with this home. */
  async rotateIfDue(): Promise<void> {
    const { platform, keyring, isCovered } = this.#init
    await this.#change(async (record) => {
      const nowHours = this.#nowHours()
      const isHeld = keyring.prekey(prekeyIdOf(platform, record.prekey)) !== undefined
      if (isHeld && !this.#isRenewed && !isRotationDue(record, nowHours)) return undefined
      const { publicKey: prekey } = (this.#next ??= await this.#newPrekey())
      const hasHolders = record.hosts.some(({ role }) => role === 'replica')
      if (isHeld && hasHolders && !(await isCovered())) return undefined
      this.#next = undefined
      this.#isRenewed = false
      return rotatedRecord(this.#init, record, { prekey, nowHours })
    })
  }

  /** A fresh prekey goes into the record now, or as soon as a holder has its private half: others can open the keyring than
   *  could when the last one was made. */
  async renew(): Promise<void> {
    this.#next = undefined
    this.#isRenewed = true
    await this.rotateIfDue()
  }

  /** In the keyring, and in no record. */
  async #newPrekey(): Promise<Prekey> {
    const { platform, keyring, recipients, write } = this.#init
    const secret = { kind: 'prekey', secret: platform.random(32) } as const
    const keyId = prekeyIdOf(platform, platform.kem.publicKey(secret.secret))
    await write([await keyringDraft(this.#place, secret, recipients())])
    keyring.keep(secret)
    return keyring.prekey(keyId) as Prekey
  }

  /** Destroys the private prekeys that nobody may use any more. One call at a time.
   *  @param drain takes in all mail that lies in the mailbox, and resolves to the key ids, as map keys, of
   *  mail that it had to leave there */
  async destroyExpired(drain: () => Promise<ReadonlySet<string>>): Promise<number> {
    await this.#refresh()
    const { platform, keyring, port, write } = this.#init
    const kept = this.#acceptedKeyIds()
    const superseded = keyring.prekeys.filter(
      (prekey) => prekey !== this.#next && !kept.has(mapKey(prekey.keyId)),
    )
    if (superseded.length === 0) return 0
    const needed = await drain()
    const over = superseded.filter(({ keyId }) => !needed.has(mapKey(keyId)))
    if (over.length === 0) return 0
    const slotName = ({ seed }: Prekey): string =>
      keyringSlotName(platform, { kind: 'prekey', secret: seed })
    await write(over.map((prekey) => emptyPlainDraft(this.#place, slotName(prekey))))
    for (const prekey of over) keyring.forget(prekey)
    await port.erase()
    return over.length
  }

  get #place(): { platform: CryptoPlatform; mailbox: MailboxPort['mailbox'] } {
    return { platform: this.#init.platform, mailbox: this.#init.port.mailbox }
  }

  /** A write whose end was not seen may have become durable: what is stored counts. */
  async #refresh(): Promise<void> {
    const stored = await readOwnRecord(this.#init)
    if (stored.record.seq >= this.#record.record.seq) this.#record = stored
  }

  /** Publishes what `next` signs to follow the last record, if it signs anything. Each change sees what the one
   *  before it did. */
  async #change(
    next: (last: MailboxRecord) => Uint8Array | undefined | Promise<Uint8Array | undefined>,
    store = this.#init.write,
  ): Promise<void> {
    await this.#changes.run(async () => {
      if (this.#isClosed) return
      await this.#refresh()
      this.#init.expectHome(this.#record.signed)
      const content = await next(this.#record.record)
      if (!content) return
      const { record: name } = plainSlotName
      await store([plainDraft(this.#place, { name, kind: plainSlotKind.record, content })])
      await this.#refresh()
    })
  }

  #acceptedKeyIds(): ReadonlySet<string> {
    const { platform } = this.#init
    const { prekey, priorKeys } = this.#record.record
    const overHours = this.#nowHours() - graceHours
    const alive = priorKeys.filter(({ untilHours }) => untilHours > overHours)
    return new Set([
      mapKey(prekeyIdOf(platform, prekey)),
      ...alive.map(({ keyId }) => mapKey(keyId)),
    ])
  }

  #nowHours(): number {
    return hoursOf(this.#init.clock.nowMs())
  }
}

/** A rotation in the future is one of a clock that ran ahead. */
function isRotationDue({ notBeforeHours }: MailboxRecord, nowHours: number): boolean {
  return nowHours - notBeforeHours >= rotationHours || notBeforeHours > nowHours + 1
}

function listed(hosts: readonly Host[]): Uint8Array {
  const each = hosts.map(({ peerId, role, addresses = [] }) => [peerId, role, addresses.toSorted()])
  return encode(each.toSorted(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)))
}
