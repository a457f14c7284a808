import type { AccountId, MailboxId } from '../../base/util/brand.ts'
import { hoursOf, type Scheduler } from '../../base/util/clock.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { Host } from '../../base/wire/records.ts'
import type { Log } from '../../base/util/log.ts'
import type { Account } from '../account/account.ts'
import type { HolderChoice } from '../account/holder-choice.ts'
import { exportedAccount, type ExportDeps } from '../account/export-writer.ts'
import type { DirectoryPort, PostPort, SignedSlot, StampPort } from '../account/ports.ts'
import type { Guardian } from '../message/guardian.ts'
import type { Contacts } from '../message/contacts.ts'
import type { Links } from '../message/links.ts'
import type { Messages } from '../message/messages.ts'
import { Messaging } from '../message/messaging.ts'
import type { Shares } from '../message/shares.ts'
import type { AuditTrail, Trail } from './audit-trail.ts'
import type { Role } from './role.ts'

/** As long as any letter. */
const entryHours = wireLimits.mailHoursMax - 24

export interface MemberDeps {
  readonly post: PostPort
  readonly directory: DirectoryPort
  readonly stamps: StampPort
  readonly scheduler: Scheduler
  readonly log: Log
}

/** One person of the household while unlocked: one object from an unlock to the next lock. After the
 *  lock every call of its parts fails with ABZU_LOCKED. */
export class Member {
  readonly id: AccountId
  readonly name: string
  readonly role: Role
  readonly #account: Account
  readonly #messaging: Messaging

  /** Reads the account's vault and takes up its work. A failure locks the account.
   *  @throws {AbzuError} those of the store */
  static async open(
    deps: MemberDeps,
    init: { account: Account; role: Role; guardian?: Guardian | undefined },
  ): Promise<Member> {
    const { account, role, guardian } = init
    try {
      return new Member(account, await Messaging.open({ ...deps, account, guardian }), role)
    } catch (error) {
      await account.lock()
      throw error
    }
  }

  private constructor(account: Account, messaging: Messaging, role: Role) {
    this.id = account.id
    this.name = account.name
    this.role = role
    this.#account = account
    this.#messaging = messaging
  }

  get contacts(): Contacts {
    return this.#messaging.contacts
  }

  get links(): Links {
    return this.#messaging.links
  }

  get holders(): HolderChoice {
    return this.#account.holders
  }

  get messages(): Messages {
    return this.#messaging.messages
  }

  get shares(): Shares {
    return this.#messaging.shares
  }

  /** See `Account.openNote`.
   *  @throws {AbzuError} ABZU_LOCKED, those of Account.openNote */
  async openNote(note: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
    return this.#account.gate.pass(async () => this.#account.openNote(note, context))
  }

  /** Signs an entry of a Child's audit and seals it to the Child.
   *  @throws {AbzuError} ABZU_LOCKED, those of Account.seal */
  async sealEntry(
    body: Uint8Array,
    to: { msgId: Uint8Array; recipientRoot: Uint8Array; prekey: Uint8Array },
  ): Promise<Uint8Array> {
    const account = this.#account
    const { msgId, ...recipient } = to
    return account.gate.pass(async () => {
      const nowMs = account.clock.nowMs()
      const letter = {
        v: 1 as const,
        from: account.rootPk,
        deviceCertificate: account.certificate,
        msgId,
        sentAt: nowMs,
        type: 'oversight',
        body,
        recordSeq: account.prekeys.record.record.seq,
      }
      const expiresAtHours = hoursOf(nowMs) + entryHours
      return account.seal(letter, { ...recipient, expiresAtHours })
    })
  }

  /** What is known of who looked at this account's messages.
   *  @throws {AbzuError} ABZU_LOCKED, those of AuditTrail.read */
  async readTrail(trail: Pick<AuditTrail, 'read'>): Promise<Trail> {
    return this.#account.gate.pass(async () => trail.read(this.#account))
  }

  /** See `Messaging.homeMoved`. */
  homeMoved(): void {
    this.#messaging.homeMoved()
  }

  /** See `Messaging.takeOver`. */
  async takeOver(): Promise<void> {
    await this.#messaging.takeOver()
  }

  get mailbox(): MailboxId {
    return this.#account.mailbox
  }

  /** See `Account.leaveFor`.
   *  @throws {AbzuError} ABZU_LOCKED, those of Account.leaveFor */
  async leaveFor(
    home: Host,
    store: (slots: readonly SignedSlot[]) => Promise<void>,
  ): Promise<void> {
    await this.#account.gate.pass(async () => this.#account.leaveFor(home, store))
  }

  /** See `Account.close`.
   *  @throws {AbzuError} ABZU_LOCKED, those of Account.close */
  async close(keep: (signed: Uint8Array) => Promise<void>): Promise<void> {
    await this.#account.gate.pass(async () => this.#account.close(keep))
  }

  /** The account on its way into a file. See `exportedAccount`. */
  exported(deps: ExportDeps): AsyncGenerator<Uint8Array> {
    return exportedAccount(deps, this.#account)
  }

  /** Resolves when the account's work has ended and its keys are overwritten. */
  async lock(): Promise<void> {
    await this.#messaging.close()
    await this.#account.lock()
  }
}
