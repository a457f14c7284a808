/**
 * One person's account while it is unlocked: its keys, its vault, its doors. Whoever holds this object
 * holds the keys; `lock` takes them away.
 * @module
 */

import { accountIdOf, mailboxIdOf } from '../../base/crypto/address.ts'
import { openEnvelope, sealEnvelope, type OpenedEnvelope } from '../../base/crypto/envelope.ts'
import { openNote } from '../../base/crypto/sealed-note.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { AccountId, ItemId, MailboxId, PeerId } from '../../base/util/brand.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import type { Log } from '../../base/util/log.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import type { Letter } from '../../base/wire/letter.ts'
import type { Host } from '../../base/wire/records.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { HeldDevice } from './device.ts'
import { Doors } from './doors.ts'
import { Gate } from './gate.ts'
import { HolderChoice } from './holder-choice.ts'
import { Keyring } from './keyring.ts'
import { readOwnRecord, readPlainSlots, type PlainSlots } from './plain-slots.ts'
import type { DirectoryPort, MailboxPort, SignedSlot } from './ports.ts'
import { Prekeys } from './prekeys.ts'
import { signDrafts, type SlotDraft } from './slot-draft.ts'
import { Supervision } from './supervision.ts'
import { accountMoved, successorByAhead, successorByOwn, type OwnPlace } from './succession.ts'
import { Vault } from './vault.ts'
import { VersionClock } from './version-clock.ts'

export interface AccountDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  readonly port: MailboxPort
  readonly directory: Pick<DirectoryPort, 'home' | 'holders' | 'isCovered' | 'hasParted' | 'ahead'>
  /** Called whenever a record says that the node `to` is the account's home now: it is to be locked for good. */
  readonly moved: (to: PeerId) => void
}

export interface AccountInit {
  /** How the person calls itself. */
  readonly name: string
  readonly rootPk: Uint8Array
  /** X-Wing: the recovery key that the words give. */
  readonly recoveryPk: Uint8Array
  /** Wiped at the lock, and where the account does not open. */
  readonly device: HeldDevice
}

export class Account {
  readonly id: AccountId
  readonly name: string
  readonly rootPk: Uint8Array
  /** X-Wing: the recovery key that the words give. */
  readonly recoveryPk: Uint8Array
  readonly mailbox: MailboxId
  /** Number of its identity document. */
  readonly identitySeq: number
  /** The signed identity document, where it revokes devices. */
  readonly revocation: Uint8Array | undefined
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly port: MailboxPort
  /** Every call that uses a key passes here. */
  readonly gate = new Gate()
  readonly versions: VersionClock
  readonly vault: Vault
  readonly doors: Doors
  readonly prekeys: Prekeys
  readonly acknowledgements: Acknowledgements
  readonly holders: HolderChoice
  readonly supervision: Supervision
  readonly #device: HeldDevice
  readonly #keyring: Keyring
  readonly #directory: Pick<DirectoryPort, 'home' | 'holders' | 'isCovered' | 'hasParted' | 'ahead'>
  readonly #moved: (to: PeerId) => void

  /** Reads the keyring and what else the account needs at once; the vault's entries are read later.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED, those of the store */
  static async open(deps: AccountDeps, init: AccountInit): Promise<Account> {
    const versions = new VersionClock(deps.clock)
    const { rootPk, device } = init
    try {
      const slots = await readPlainSlots({
        ...deps,
        rootPk,
        sealSeed: device.sealSeed,
        versions,
      })
      const account = new Account(deps, init, { versions, slots })
      await account.supervision.load()
      return account
    } catch (error) {
      device.wipe()
      throw error
    }
  }

  private constructor(
    deps: AccountDeps,
    init: AccountInit,
    { versions, slots }: { versions: VersionClock; slots: PlainSlots },
  ) {
    const { platform, clock, port } = deps
    const { rootPk, device } = init
    this.id = accountIdOf(rootPk)
    this.name = init.name
    this.rootPk = rootPk
    this.recoveryPk = init.recoveryPk
    this.mailbox = mailboxIdOf(platform, rootPk)
    this.platform = platform
    this.clock = clock
    this.port = port
    this.versions = versions
    const { seq, revoked, document } = slots.identity
    this.identitySeq = seq
    this.revocation = revoked.length > 0 ? document : undefined
    this.#device = device
    this.#directory = deps.directory
    this.#moved = deps.moved
    this.#keyring = new Keyring(platform)
    for (const secret of slots.secrets) this.#keyring.keep(secret)
    const keyring = this.#keyring
    const place = { platform, clock, mailbox: this.mailbox }
    this.vault = new Vault({ ...deps, keyring, versions, isOwn: slots.isOwn })
    this.doors = new Doors({ ...place, stored: slots.doors })
    this.acknowledgements = new Acknowledgements({
      ...place,
      device: device.signPk,
      stored: slots.acknowledgements,
    })
    const sealPks = slots.identity.devices.flatMap(({ sealPk }) => sealPk ?? [])
    this.supervision = new Supervision({
      place,
      keyring,
      vault: this.vault,
      devicePk: device.signPk,
      own: [init.recoveryPk, ...sealPks],
      prekeys: () => this.prekeys,
      write: (drafts) => this.write(drafts),
    })
    this.prekeys = new Prekeys({
      ...deps,
      rootPk,
      device,
      keyring,
      recipients: () => this.supervision.recipients,
      expectHome: (record) => this.#expectHome(record),
      record: slots.record,
      write: (drafts) => this.write(drafts),
      isCovered: async () => this.#directory.isCovered(this.mailbox),
    })
    this.holders = new HolderChoice({
      vault: this.vault,
      write: async (drafts) => this.write(drafts),
      gate: this.gate,
      prekeys: this.prekeys,
      directory: deps.directory,
    })
  }

  /** By the device's key, which names its log: two devices never write the same slot. */
  get devicePk(): Uint8Array {
    return this.#device.signPk
  }

  get certificate(): Uint8Array {
    return this.#device.certificate
  }

  /** The device with seeds of its own, for an export. The caller wipes it; nothing else may keep it.
   *  @throws {AbzuError} ABZU_LOCKED */
  carriedDevice(): HeldDevice {
    this.gate.check()
    const { signSeed, sealSeed, signPk, certificate } = this.#device
    return new HeldDevice({
      signSeed: signSeed.slice(),
      sealSeed: sealSeed.slice(),
      signPk,
      certificate,
    })
  }

  /** This node as the account's home, with the addresses at which it can be reached now. */
  get home(): Host & { readonly peerId: PeerId } {
    const home = this.#directory.home()
    return { ...home, peerId: home.peerId as PeerId }
  }

  /** A newer record of this account than its mailbox has, where another node showed one.
   *  @throws {AbzuError} ABZU_ACCOUNT_MOVED where it, or the mailbox's own, names another home */
  async recordAhead(): Promise<Uint8Array | undefined> {
    const ahead = await this.#directory.ahead(this.mailbox)
    const { signed: own } = await readOwnRecord(this)
    this.#expectHome(own)
    this.#expectNo(ahead && successorByAhead(this.platform, this.#place, { own, ahead }))
    return ahead
  }

  #expectHome(record: Uint8Array): void {
    this.#expectNo(successorByOwn(this.platform, this.#place, record))
  }

  #expectNo(successor: PeerId | undefined): void {
    if (!successor) return
    this.#moved(successor)
    throw accountMoved(successor)
  }

  get #place(): OwnPlace {
    return { rootPk: this.rootPk, devicePk: this.devicePk, here: this.home.peerId }
  }

  /** Signs and stores slots, all or none. Resolves after fsync.
   *  @throws {AbzuError} ABZU_QUOTA_EXCEEDED, those of the store */
  async write(drafts: readonly SlotDraft[]): Promise<void> {
    if (drafts.length > 0) await this.port.putSlots(this.#signed(drafts))
  }

  /** Signs the record by which the account lives at `home` from now on; `store` makes it durable.
   *  @throws {AbzuError} ABZU_ACCOUNT_MOVED, those of `store` */
  async leaveFor(
    home: Host,
    store: (slots: readonly SignedSlot[]) => Promise<void>,
  ): Promise<void> {
    await this.prekeys.leaveFor(home, async (drafts) => store(this.#signed(drafts)))
  }

  /** Signs the account's last record. See `Prekeys.close`.
   *  @throws {AbzuError} ABZU_ACCOUNT_MOVED, those of `keep` */
  async close(keep: (signed: Uint8Array) => Promise<void>): Promise<void> {
    await this.prekeys.close(await this.recordAhead(), keep)
  }

  #signed(drafts: readonly SlotDraft[]): SignedSlot[] {
    const { platform, mailbox, versions } = this
    return signDrafts({ platform, mailbox, device: this.#device, versions }, drafts)
  }

  /** Takes mail out of the mailbox for good. Resolves after fsync. */
  async acknowledge(ids: readonly ItemId[]): Promise<void> {
    await this.write(this.acknowledgements.drafts(ids))
  }

  /** Signs a letter and seals it to a recipient's prekey.
   *  @throws {AbzuError} ABZU_TOO_LARGE, ABZU_MALFORMED */
  async seal(
    letter: Letter,
    to: { recipientRoot: Uint8Array; prekey: Uint8Array; expiresAtHours: number },
  ): Promise<Uint8Array> {
    return sealEnvelope(this.platform, { ...to, letter, deviceSeed: this.#device.signSeed })
  }

  /** The letter in an envelope, its signature verified; undefined where no prekey of ours opens it.
   *  @throws {AbzuError} ABZU_SEAL_BROKEN, ABZU_MALFORMED */
  async open(envelope: Uint8Array): Promise<OpenedEnvelope | undefined> {
    const prekey = this.#keyring.prekey(parseEnvelopeHeader(envelope).keyId)
    if (!prekey) return undefined
    const { rootPk: recipientRoot, platform } = this
    return openEnvelope(platform, { envelope, recipientRoot, prekeySeed: prekey.seed })
  }

  /** What was sealed to this account's device among others.
   *  @throws {AbzuError} ABZU_SEAL_BROKEN, ABZU_MALFORMED */
  async openNote(note: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
    return openNote(this.platform, { note, context, seed: this.#device.sealSeed })
  }

  /** Waits for work that uses the keys, then overwrites them. */
  async lock(): Promise<void> {
    await this.gate.close()
    this.#keyring.wipe()
    this.#device.wipe()
  }
}
