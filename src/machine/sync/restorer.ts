/** Brings the mailbox of an account here from a node that has a copy. @see docs/protocol.md#sync @module */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import { restoreChallenge } from '../../base/crypto/restore-claim.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, type ErrorCode } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { withTimeout } from '../../base/util/wait.ts'
import { syncProtocol } from '../../base/wire/protocols.ts'
import type { Host } from '../../base/wire/records.ts'
import type { PullerMessage } from '../../base/wire/sync.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { OwnMailbox } from '../mailbox/own-mailbox.ts'
import { dialAddresses } from '../node/directory.ts'
import type { Transport } from '../transport/transport.ts'
import { Puller, type Errand } from './puller.ts'

export interface RestorerDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly transport: Pick<Transport, 'peerId' | 'open'>
  readonly items: ItemStore
  readonly mailboxes: Pick<Mailboxes, 'rootOf' | 'host' | 'wants' | 'takeCopies' | 'mailbox'>
  readonly scheduler: Scheduler
  readonly log: Log
}

/** Who asks for a copy: a device that the account's root has certified. */
export interface Claim {
  /** 32 bytes. */
  readonly rootPk: Uint8Array
  /** Signed by the root. */
  readonly certificate: Uint8Array
  /** See `signRestoreClaim` of base/crypto. */
  readonly sign: (challenge: Uint8Array) => Uint8Array
}

export interface Restored {
  readonly items: number
  readonly bytes: number
  /** What the source has in all; 0 while that is not known. */
  readonly itemsTotal: number
}

export interface RestoreInit {
  /** Tried in order; this node, where it is one of them, has nothing to be asked for. */
  readonly hosts: readonly Host[]
  readonly progress: (done: Restored) => void
  readonly signal: AbortSignal
}

/** What a source has to say something within. */
const connectMs = 20_000
const nothingIsNoted = { note: () => undefined }

export class Restorer {
  readonly #deps: RestorerDeps

  constructor(deps: RestorerDeps) {
    this.#deps = deps
  }

  /** Resolves when everything that one of the hosts has is durable here. What came of an attempt that broke off stays,
   *  and is not sent again; where it is here and no host has it, it is returned as it is. So it is where this node is
   *  a host itself and no other one answers: the copy here may be the last one.
   *  @throws {AbzuError} ABZU_NOT_FOUND where nobody has a copy, ABZU_UNREACHABLE where nobody answers, ABZU_DENIED,
   *  those of the store; the signal's reason */
  async restore(claim: Claim, { hosts, progress, signal }: RestoreInit): Promise<OwnMailbox> {
    const { platform, transport, mailboxes, log } = this.#deps
    const mailbox = mailboxIdOf(platform, claim.rootPk)
    let code: ErrorCode = 'ABZU_NOT_FOUND'
    for (const host of hosts) {
      if (host.peerId === transport.peerId) continue
      try {
        await this.#pull(claim, { host, mailbox, progress, signal })
        return mailboxes.mailbox(mailbox)
      } catch (error) {
        signal.throwIfAborted()
        if (!isAbzuError(error)) throw error
        if (error.code !== 'ABZU_NOT_HOSTED' || code === 'ABZU_NOT_FOUND') code = error.code
        log.info('not-restored-from', { peer: host.peerId, code: error.code })
      }
    }
    const isNowhere = code === 'ABZU_NOT_HOSTED' || code === 'ABZU_NOT_FOUND'
    const isSilent = code === 'ABZU_UNREACHABLE' || code === 'ABZU_TIMEOUT'
    const isHost = hosts.some(({ peerId }) => peerId === transport.peerId)
    if ((isNowhere || (isSilent && isHost)) && mailboxes.rootOf(mailbox)) {
      return mailboxes.mailbox(mailbox)
    }
    throw new AbzuError(isNowhere ? 'ABZU_NOT_FOUND' : code, 'no host gave a copy of the mailbox')
  }

  async #pull(
    claim: Claim,
    init: Omit<RestoreInit, 'hosts'> & { readonly host: Host; readonly mailbox: MailboxId },
  ): Promise<void> {
    const { transport, scheduler } = this.#deps
    const { host, signal } = init
    const peer = host.peerId as PeerId
    const what = { timeoutMs: connectMs, what: 'reaching a host', signal }
    const stream = await withTimeout(scheduler, what, async (signal) =>
      transport.open(peer, syncProtocol, { addresses: dialAddresses(host), locate: true, signal }),
    )
    const abort = () => stream.abort(new AbzuError('ABZU_CLOSED', 'the restore was given up'))
    signal.addEventListener('abort', abort, { once: true })
    const errand = new ClaimErrand(claim, { ...init, source: peer, puller: transport.peerId })
    try {
      const puller = new Puller({ ...this.#deps, origins: nothingIsNoted }, stream, errand)
      await Promise.race([puller.run(), errand.done])
      if (!errand.isDone) throw new AbzuError('ABZU_UNREACHABLE', 'the source ended too early')
      await stream.end()
    } catch (error) {
      abort()
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }
}

interface ClaimInit {
  readonly mailbox: MailboxId
  readonly source: PeerId
  readonly puller: PeerId
  readonly progress: (done: Restored) => void
}

/** One mailbox, for a device of its account. */
class ClaimErrand implements Errand {
  readonly named: readonly PeerId[] = []
  readonly #claim: Claim
  readonly #init: ClaimInit
  readonly #done = Promise.withResolvers<void>()
  #restored = { items: 0, bytes: 0, itemsTotal: 0 }
  isDone = false

  constructor(claim: Claim, init: ClaimInit) {
    this.#claim = claim
    this.#init = init
  }

  get done(): Promise<void> {
    return this.#done.promise
  }

  async greet(say: (message: PullerMessage) => Promise<void>): Promise<void> {
    await say({ kind: 'appeal', mailbox: this.#init.mailbox })
  }

  claim(nonce: Uint8Array): PullerMessage {
    const { rootPk, certificate, sign } = this.#claim
    const signature = sign(restoreChallenge({ ...this.#init, nonce }))
    return { kind: 'claim', rootPk, certificate, signature }
  }

  greeted(): Iterable<MailboxId> {
    return []
  }

  isKnown(): boolean {
    return false
  }

  async isWelcome(mailbox: MailboxId): Promise<boolean> {
    return equalBytes(mailbox, this.#init.mailbox)
  }

  async expectRoom(): Promise<void> {}

  extent({ items }: { readonly items: number }): void {
    this.#restored.itemsTotal = items
    this.#init.progress({ ...this.#restored })
  }

  stored({ items, bytes }: { readonly items: number; readonly bytes: number }): void {
    this.#restored.items += items
    this.#restored.bytes += bytes
    this.#init.progress({ ...this.#restored })
  }

  async marked({ mailboxes }: { readonly mailboxes: readonly MailboxId[] }): Promise<void> {
    this.isDone = mailboxes.some((one) => equalBytes(one, this.#init.mailbox))
    this.#done.resolve()
  }
}
