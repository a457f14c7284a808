/**
 * Where the accounts of a household live. An account moves to a node that this one is paired with: that node has a
 * copy of the mailbox already, writes down who is coming, and is the home from the moment on at which this node stores,
 * in one commit, a record that says so and that the account is frozen here. Before it the account lives here; after it
 * what is still to come travels as between any two hosts, whoever is killed when.
 * @see docs/protocol.md#move
 * @module
 */

import { accountIdOf, mailboxIdOf } from '../../base/crypto/address.ts'
import { openDeviceCertificate } from '../../base/crypto/certificate.ts'
import { unverifiedRecord, verifyMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import { parseWrapped } from '../../base/crypto/password.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { sleep } from '../../base/util/wait.ts'
import type { ComingAccount } from '../../base/wire/move.ts'
import type { Host } from '../../base/wire/records.ts'
import { encodeAccountRow, type AccountRow } from '../account/account-row.ts'
import type { Holders } from '../account/holder-choice.ts'
import { parsePersonName } from '../account/person-name.ts'
import { readOwnRecord, unverifiedOwnRecord } from '../account/plain-slots.ts'
import type {
  CarriagePort,
  DirectoryPort,
  HostingPort,
  MovingPort,
  SignedSlot,
} from '../account/ports.ts'
import type { Serial } from '../account/serial.ts'
import { successorByOwn } from '../account/succession.ts'
import { entryOf, expectHere, expectNotLastAdmin, isHere, type Entry } from './entry.ts'
import type { Member } from './member.ts'
import type { Roster } from './roster.ts'

export interface MovesDeps {
  readonly platform: CryptoPlatform
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Scheduler
  readonly log: Log
  readonly roster: Roster
  readonly hosting: Pick<HostingPort, 'copied' | 'mailbox'>
  readonly directory: Pick<DirectoryPort, 'home'>
  readonly carriage: Pick<CarriagePort, 'settle'>
  readonly moving: MovingPort
  /** Ends an account's work and drops its keys from memory. */
  readonly lock: (entry: Entry) => Promise<void>
  /** A record says that the account lives at the node `to` now. */
  readonly moved: (entry: Entry, to: PeerId) => void
  /** One change of who may do what at a time. */
  readonly changes: Serial
}

export interface MoveInit {
  /** A paired node, by its name, peer id or an address. */
  readonly to: string
  /** Is told again and again, until the other node has everything, whether it comes for it. */
  readonly progress: (isCopying: boolean) => void
  /** Ends the attempt, up to the moment at which the account lives there. */
  readonly signal: AbortSignal
}

export interface Moved {
  readonly to: PeerId
  /** Whether the new home has been seen to have everything; otherwise the rest follows by itself. */
  readonly isComplete: boolean
}

const lookMs = 200
/** The other node has taken nothing of what it lacks for so long. */
const stalledMs = 5 * 60_000
/** For the record that names the new home, which is all that is left to tell. */
const lastLookMs = 10_000
/** Accounts that one node may bring, those that live here by now included. */
const comingMax = 32

export class Moves {
  readonly #deps: MovesDeps

  constructor(deps: MovesDeps) {
    this.#deps = deps
  }

  /** Moves an account away. It is locked when this resolves, and frozen here. May be repeated where it failed on the way.
   *  @throws {AbzuError} ABZU_NOT_FOUND and ABZU_ADDRESS_INVALID (the node), ABZU_DENIED (the last Admin of others),
   *  ABZU_UNREACHABLE where the other node does not take what it lacks, ABZU_OVERLOADED where the account was changed
   *  meanwhile, those of MovingPort.announce and of the store; the signal's reason */
  async move(member: Member, { to, progress, signal }: MoveInit): Promise<Moved> {
    const { roster, moving, directory, changes, lock, log } = this.#deps
    const entry = roster.find(member.id)
    const { mailbox } = member
    const peer = moving.peer(to)
    if (peer === directory.home().peerId) {
      throw new AbzuError('ABZU_INVALID_ARGUMENT', 'the account lives at this node')
    }
    this.#expectToLeaveAnAdmin(entry)
    await holdAt(member, peer)
    await this.#copied({ mailbox, peer, progress, signal })
    const { row } = entry
    const home = await moving.announce(peer, comingOf(row), signal)
    try {
      await changes.run(async () => {
        signal.throwIfAborted()
        await member.leaveFor(home, async (slots) => this.#leave(entry, { row, peer, slots }))
      })
    } finally {
      if (!isHere(entry)) await lock(entry)
    }
    log.info('account-moved-away', { to: peer })
    return { to: peer, isComplete: await this.#hasAllInTime(mailbox, peer) }
  }

  /** An account of a paired node is to live here: its row is frozen until a record of the account says so. Resolves after fsync,
   *  with this node as a home.
   *  @throws {AbzuError} ABZU_DENIED where `from` is not its home by the copy that is here, ABZU_NOT_HOSTED where there is no copy,
   *  ABZU_ALREADY_EXISTS (the account lives here, or somebody has its name), ABZU_QUOTA_EXCEEDED, ABZU_MALFORMED,
   *  ABZU_INVALID_ARGUMENT (name), ABZU_SIGNATURE_INVALID, those of the store */
  async expect(from: PeerId, { v, ...coming }: ComingAccount): Promise<Host> {
    const { roster, directory } = this.#deps
    const { rootPk, certificate } = coming
    parseWrapped(coming.wrappedDevice)
    const name = parsePersonName(coming.name)
    const id = accountIdOf(rootPk)
    await roster.making({ name, id }, async () => {
      roster.expectAway(id)
      const brought = roster.all().filter((one) => one.row.broughtBy === from && one.id !== id)
      if (brought.length >= comingMax) {
        throw new AbzuError(
          'ABZU_QUOTA_EXCEEDED',
          'too many accounts of your node are here already',
        )
      }
      if ((await this.#homeBy({ rootPk, certificate })) !== from) {
        throw new AbzuError('ABZU_DENIED', 'by the copy here your node is not the home')
      }
      // what this household has decided for an account that was here before holds when it comes back
      const { role = 'adult', leavesAtHours, growsUpAtHours } = roster.get(id)?.row ?? {}
      const row: AccountRow = {
        v,
        ...coming,
        name,
        role,
        movedTo: from,
        isAnnounced: true,
        broughtBy: from,
        takeOverDue: 1,
        ...(leavesAtHours !== undefined && { leavesAtHours }),
        ...(growsUpAtHours !== undefined && { growsUpAtHours }),
      }
      await roster.save(row)
      roster.add(entryOf(row))
    })
    return directory.home()
  }

  /** The one commit by which the account lives at `peer`. */
  async #leave(
    entry: Entry,
    { row, peer, slots }: { row: AccountRow; peer: PeerId; slots: readonly SignedSlot[] },
  ): Promise<void> {
    const { roster, carriage } = this.#deps
    expectHere(entry)
    if (!isSameDevice(entry.row, row)) throw changedMeanwhile()
    this.#expectToLeaveAnAdmin(entry)
    const mailbox = mailboxIdOf(this.#deps.platform, row.rootPk)
    const before = entry.row
    const frozen = { ...before, movedTo: peer }
    try {
      await roster.change(entry, frozen, async () =>
        carriage.settle(mailbox, slots, { key: row.rootPk, value: encodeAccountRow(frozen) }),
      )
    } catch (error) {
      entry.row = before
      throw error
    }
  }

  /** Looks what the records say of every account: one may have come or gone while this node was down, or just before it
   *  stopped. */
  async lookAtAll(): Promise<void> {
    const { roster, log } = this.#deps
    for (const { row } of roster.all()) {
      try {
        if (await this.#isDoubtful(row)) await this.recordChanged(row.rootPk)
      } catch (error) {
        // the next unlocking looks as well
        log.warn('record-not-looked-at', { error: toAbzuError(error) })
      }
    }
  }

  /** Whether the record, which is not verified, may say of the account's home what the row does not. Few are read: a node may
   *  have thousands of accounts. */
  async #isDoubtful({ rootPk, movedTo, isAnnounced }: AccountRow): Promise<boolean> {
    if (isAnnounced) return true
    if (movedTo !== undefined) return false
    const { platform, hosting, directory } = this.#deps
    const mailbox = mailboxIdOf(platform, rootPk)
    if (!hosting.copied.has(mailbox)) return false
    const port = hosting.mailbox(mailbox)
    const { peerId } = directory.home()
    const { hosts } = unverifiedRecord(await unverifiedOwnRecord({ platform, port }))
    return !hosts.some((host) => host.role === 'home' && host.peerId === peerId)
  }

  /** The record of an account has changed, on the disk: where it names another home, the account is frozen, locked or
   *  not; where it names this one, and the account was announced, it lives here.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED, those of the store */
  async recordChanged(rootPk: Uint8Array): Promise<void> {
    const { platform, roster, directory, moved } = this.#deps
    const entry = roster.get(accountIdOf(rootPk))
    if (!entry) return
    if (entry.row.isAnnounced) return this.#welcome(entry)
    if (entry.row.movedTo !== undefined) return
    const { signPk: devicePk } = openDeviceCertificate(platform, entry.row.certificate, rootPk)
    const here = directory.home().peerId as PeerId
    const successor = successorByOwn(
      platform,
      { rootPk, devicePk, here },
      await this.#record(rootPk),
    )
    if (successor) moved(entry, successor)
  }

  /** Only a record of the device that was announced makes this node the home: an import or a recovery writes a row of its own. */
  async #welcome({ id, row }: Entry): Promise<void> {
    const { roster, directory, log } = this.#deps
    try {
      if ((await this.#homeBy(row)) !== directory.home().peerId) return
      await roster.holding(id, async () => {
        const entry = roster.get(id)
        if (entry?.row !== row) return
        const { movedTo: from, isAnnounced: _, ...here } = row
        const role = here.role === 'adult' ? roster.roleOfArrival() : here.role
        await roster.change(entry, { ...here, role })
        log.info('account-moved-here', { from: from as string })
      })
    } catch (error) {
      // no copy yet, or the account is just coming in another way
      if (!isAbzuError(error, 'ABZU_NOT_HOSTED') && !isAbzuError(error, 'ABZU_ALREADY_EXISTS')) {
        throw error
      }
    }
  }

  /** The home that the record names which is here; undefined where it names none, or another device has signed it.
   *  @throws {AbzuError} ABZU_NOT_HOSTED, ABZU_SIGNATURE_INVALID, those of the store */
  async #homeBy({
    rootPk,
    certificate,
  }: Pick<AccountRow, 'rootPk' | 'certificate'>): Promise<string | undefined> {
    const { platform } = this.#deps
    const device = openDeviceCertificate(platform, certificate, rootPk)
    const { record, signPk } = verifyMailboxRecord(platform, await this.#record(rootPk))
    if (!equalBytes(signPk, device.signPk)) return undefined
    return record.hosts.find(({ role }) => role === 'home')?.peerId
  }

  async #record(rootPk: Uint8Array): Promise<Uint8Array> {
    const { platform, hosting } = this.#deps
    const port = hosting.mailbox(mailboxIdOf(platform, rootPk))
    return (await readOwnRecord({ platform, port, rootPk })).signed
  }

  /** Who leaves nobody behind leaves no household without an Admin. */
  #expectToLeaveAnAdmin(entry: Entry): void {
    const all = this.#deps.roster.all()
    if (all.some((one) => one !== entry && isHere(one))) expectNotLastAdmin(all, entry)
  }

  async #copied({
    mailbox,
    peer,
    progress,
    signal,
  }: Omit<MoveInit, 'to'> & { mailbox: MailboxId; peer: PeerId }): Promise<void> {
    const { moving, clock, scheduler } = this.#deps
    let taken: number | undefined
    let sinceMs = clock.monotonicMs()
    while (!(await moving.hasAll(mailbox, peer))) {
      const before = taken
      taken = moving.taken(peer)
      progress(taken !== undefined)
      const nowMs = clock.monotonicMs()
      if (taken !== before) sinceMs = nowMs
      if (nowMs - sinceMs > stalledMs) {
        const message = 'the other node has taken nothing for minutes: it is not there, or is full'
        throw new AbzuError('ABZU_UNREACHABLE', message)
      }
      await sleep(scheduler, lookMs, signal)
    }
  }

  async #hasAllInTime(mailbox: MailboxId, peer: PeerId): Promise<boolean> {
    const { moving, clock, scheduler } = this.#deps
    const endMs = clock.monotonicMs() + lastLookMs
    while (!(await moving.hasAll(mailbox, peer))) {
      if (clock.monotonicMs() >= endMs) return false
      await sleep(scheduler, lookMs)
    }
    return true
  }
}

/** Lets the next home keep a copy, where the last record does not name it.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT where others have its place */
async function holdAt({ holders }: Member, peer: PeerId): Promise<void> {
  const replicasOf = ({ holders: all }: Holders): string[] =>
    all.filter(({ role }) => role === 'replica').map(({ peerId }) => peerId)
  const now = await holders.look()
  if (replicasOf(now).includes(peer)) return
  const chosen = now.chosen ? [...replicasOf(now), peer] : undefined
  if (replicasOf(await holders.choose(chosen)).includes(peer)) return
  const message =
    'other nodes keep copies in its place: let it keep one first, abzu account holders'
  throw new AbzuError('ABZU_INVALID_ARGUMENT', message)
}

function comingOf(row: AccountRow): ComingAccount {
  const { v, rootPk, name, certificate, recoveryPk, wrappedDevice } = row
  return { v, rootPk, name, certificate, recoveryPk, wrappedDevice }
}

/** Whether what the other node was told still opens the account. */
function isSameDevice(now: AccountRow, told: AccountRow): boolean {
  return (
    equalBytes(now.wrappedDevice, told.wrappedDevice) &&
    equalBytes(now.certificate, told.certificate)
  )
}

function changedMeanwhile(): AbzuError {
  const message = "the account's password or device was changed meanwhile: move it again"
  return new AbzuError('ABZU_OVERLOADED', message)
}
