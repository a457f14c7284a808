/**
 * Where other people's mail goes: their signed mailbox records, asked of the hosts that are named and of the
 * mesh; and the way of this node's own records to those that hold them.
 * @see docs/protocol.md#directory
 * @module
 */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import { placeOf, unverifiedRecord, verifyMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { equalBytes, toHex } from '../../base/util/bytes.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { withDeadline } from '../../base/util/wait.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { recordProtocol } from '../../base/wire/protocols.ts'
import {
  decodePutAnswer,
  encodeRecordRequest,
  type PutAnswer,
} from '../../base/wire/record-call.ts'
import type { Host } from '../../base/wire/records.ts'
import { call } from '../transport/call.ts'
import type { MeshPeer } from '../transport/mesh-routing.ts'
import type { Transport } from '../transport/transport.ts'
import { AnswerCache } from './answer-cache.ts'
import type { DirectoryLimits } from './directory-limits.ts'
import type { HeldRecords, HostedRecords } from './held-records.ts'
import { Inquiry, type KnownPlace } from './inquiry.ts'
import { inParallel } from './in-parallel.ts'

export interface DirectoryDeps {
  readonly transport: Transport
  readonly hosted: HostedRecords
  readonly held: HeldRecords
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>
  readonly limits: DirectoryLimits
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  /** Nodes that have agreed to keep copies for this one, of all or of some.
   *  @default nobody */
  readonly holders?: (among?: readonly string[]) => readonly Host[]
  /** Whether one of a mailbox's other hosts has all of it.
   *  @default it has */
  readonly isCovered?: (mailbox: MailboxId) => Promise<boolean>
  /** Whether such an agreement has ended.
   *  @default never */
  readonly hasParted?: (peerId: string) => boolean
}

/** What became of a record that was offered to the mesh. */
export interface Publication {
  /** Nodes that hold it now. */
  readonly held: number
  /** Nodes that were asked and do not. */
  readonly refused: number
  /** Nodes that hold a newer one of the account: it is ahead elsewhere. */
  readonly stale: number
  /** Nodes that hold another one of the same place. */
  readonly forks: number
}

/** The addresses of a host as a transport dials them: a record names the peer once, not in each. */
export function dialAddresses({ peerId, addresses = [] }: Host): string[] {
  return addresses.map((address) => `${address}/p2p/${peerId}`)
}

export class Directory {
  readonly #deps: DirectoryDeps
  readonly #cache: AnswerCache
  #resolving = 0

  constructor(deps: DirectoryDeps) {
    this.#deps = deps
    const { limits, clock, platform } = deps
    this.#cache = new AnswerCache({ platform, clock, limits })
  }

  /** This node as a home, with the addresses at which it can be reached now. */
  home(): Host {
    const { transport } = this.#deps
    const addresses = transport
      .addresses()
      .map((address) => address.replace(/\/p2p\/[^/]+$/, ''))
      .slice(0, wireLimits.addressesMax)
    return { peerId: transport.peerId, role: 'home', addresses }
  }

  /** Nodes that have agreed to keep copies of what is at home here; only those `among` the given peer ids, where any
   *  are given. */
  holders(among?: readonly string[]): readonly Host[] {
    return this.#deps.holders?.(among) ?? []
  }

  /** Whether everything that this node has of a mailbox is durable at one of its other hosts as well; it may take some
   *  seconds to say no. */
  async isCovered(mailbox: MailboxId): Promise<boolean> {
    return this.#deps.isCovered?.(mailbox) ?? true
  }

  /** Whether this node's owner has ended such an agreement with another node. */
  hasParted(peerId: string): boolean {
    return this.#deps.hasParted?.(peerId) ?? false
  }

  /** A newer record of a mailbox hosted here than the one that it has, where another node showed one. */
  async ahead(mailbox: MailboxId): Promise<Uint8Array | undefined> {
    const { hosted, held } = this.#deps
    const own = await hosted.record(mailbox)
    const newest = await held.newest(mailbox)
    return own && newest && !equalBytes(own, newest) ? newest : undefined
  }

  /** Keeps the last record of a mailbox hosted here that is about to go, and offers it to its other hosts and to the mesh.
   *  Resolves once it is durable here.
   *  @throws {AbzuError} ABZU_MALFORMED, ABZU_QUOTA_EXCEEDED, ABZU_ALREADY_EXISTS where another one is as new, those of the
   *  store */
  async bequeath(signed: Uint8Array): Promise<void> {
    const { transport, hosted, held, platform, log } = this.#deps
    const mailbox = mailboxIdOf(platform, unverifiedRecord(signed).account)
    const before = await hosted.record(mailbox)
    const { kind } = await held.keepAhead(signed, transport.peerId)
    if (kind !== 'held') {
      throw new AbzuError('ABZU_ALREADY_EXISTS', 'another record of the account is as new')
    }
    const hosts = before ? unverifiedRecord(before).hosts : []
    // whom this does not reach, the rounds that tend what is held do
    this.publish(mailbox, hosts).catch((error: unknown) => {
      log.debug('last-record-not-published', { error: toAbzuError(error) })
    })
  }

  /** The newest record of a mailbox that `hosts` or, where they do not answer, the mesh has; without hosts, the
   *  mesh alone. It is signed by the account that the mailbox is of, and not older than `known`.
   *  @throws {AbzuError} ABZU_NOT_FOUND where somebody answered and nobody has it; ABZU_UNREACHABLE where nobody
   *  answered; ABZU_OVERLOADED */
  async resolve(
    mailbox: MailboxId,
    hosts: readonly Host[],
    known: KnownPlace = {},
  ): Promise<Uint8Array> {
    const { hosted, held } = this.#deps
    if (await hosted.record(mailbox)) return (await held.newest(mailbox)) as Uint8Array
    const remembered = this.#cache.fresh(mailbox, known, held.get(mailbox))
    if (remembered) return remembered
    const mine = [this.#cache.any(mailbox), held.get(mailbox)]
    const signed = await this.#inquire(mailbox, { hosts, known, mine })
    this.#cache.keep(mailbox, signed)
    return signed
  }

  /** The newest record of a mailbox of which a copy is here, after others were asked whether they have a newer one,
   *  which is kept.
   *  @throws {AbzuError} ABZU_NOT_HOSTED, ABZU_UNREACHABLE where nobody answered, ABZU_OVERLOADED */
  async confirm(mailbox: MailboxId): Promise<Uint8Array> {
    const { transport, held, platform } = this.#deps
    const signed = await held.newest(mailbox)
    if (!signed) throw new AbzuError('ABZU_NOT_HOSTED', 'no record of this mailbox is here')
    const newest = verifyMailboxRecord(platform, signed)
    const { docSeq, seq } = placeOf(newest)
    const hosts = newest.record.hosts.filter(({ peerId }) => peerId !== transport.peerId)
    try {
      const known = { docSeq, seq: seq + 1 }
      const newer = await this.#inquire(mailbox, { hosts, known, mine: [] })
      await held.keepAhead(newer, transport.peerId)
      return newer
    } catch (error) {
      if (!isAbzuError(error, 'ABZU_NOT_FOUND')) throw error
      return signed
    }
  }

  async #inquire(
    mailbox: MailboxId,
    {
      hosts,
      known,
      mine,
    }: {
      hosts: readonly Host[]
      known: KnownPlace
      mine: readonly (Uint8Array | undefined)[]
    },
  ): Promise<Uint8Array> {
    const { limits, scheduler, platform, log } = this.#deps
    if (this.#resolving >= limits.resolvesMax) {
      throw new AbzuError('ABZU_OVERLOADED', 'too many mailboxes are looked for')
    }
    this.#resolving++
    try {
      const inquiry = new Inquiry({ platform, scheduler, limits, log }, { mailbox, known })
      for (const signed of mine) if (signed) inquiry.remember(signed)
      return await inquiry.run({
        hosts: hosts.slice(0, wireLimits.hostsMax),
        askHost: async (host, signal) => this.#askHost(mailbox, host, signal),
        nearby: (wait) => this.#nearby(mailbox, wait),
        ask: async (peer, signal) => this.#ask(mailbox, peer, { signal }),
      })
    } finally {
      this.#resolving--
    }
  }

  /** Offers the newest record of a mailbox to the nodes nearest to it, and to `hosts` first. Never rejects for what a node
   *  does. */
  async publish(mailbox: MailboxId, hosts: readonly Host[] = []): Promise<Publication> {
    const { transport, held, limits, scheduler } = this.#deps
    const counts = { held: 0, refused: 0, stale: 0, forks: 0 }
    const signed = await held.newest(mailbox)
    if (!signed) return counts
    const offer = async (peer: MeshPeer) => this.#offer(mailbox, { signed, peer, counts })
    const others = hosts.filter(({ peerId }) => peerId !== transport.peerId)
    await inParallel(others, limits.askParallelMax, async (host) =>
      offer({ peerId: host.peerId as PeerId, addresses: dialAddresses(host) }),
    )
    const patience = { timeoutMs: limits.answersMs }
    const peers = await withDeadline(scheduler, patience, async (signal) =>
      transport.mesh.closest(mailbox, signal),
    )
    const wanted = limits.holdersMax
    await inParallel(peers, limits.askParallelMax, async (peer) => {
      if (counts.held < wanted) await offer(peer)
    })
    held.refreshed(mailbox)
    return counts
  }

  async #offer(
    mailbox: MailboxId,
    {
      signed,
      peer,
      counts,
    }: {
      signed: Uint8Array
      peer: MeshPeer
      counts: { held: number; refused: number; stale: number; forks: number }
    },
  ): Promise<void> {
    const { transport, limits, scheduler } = this.#deps
    try {
      const request = encodeRecordRequest({ kind: 'put', record: signed })
      const answer = await call(transport, peer.peerId, recordProtocol, request, {
        addresses: peer.addresses,
        timeoutMs: limits.askMs,
        scheduler,
      })
      await this.#count(mailbox, { signed, peer, answer: decodePutAnswer(answer) }, counts)
    } catch (error) {
      if (!isAbzuError(error)) throw error
      counts.refused++
      this.#note('record-not-taken', mailbox, peer, error)
    }
  }

  async #count(
    mailbox: MailboxId,
    { signed, peer, answer }: { signed: Uint8Array; peer: MeshPeer; answer: PutAnswer },
    counts: { held: number; stale: number; forks: number },
  ): Promise<void> {
    if (answer.kind === 'held') {
      counts.held++
      return
    }
    const other = verifyMailboxRecord(this.#deps.platform, answer.record)
    const isOfMailbox = equalBytes(other.mailbox, mailbox)
    if (!isOfMailbox || equalBytes(answer.record, signed)) {
      throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'an answer about another record')
    }
    counts[answer.kind === 'fork' ? 'forks' : 'stale']++
    this.#deps.log.warn(answer.kind === 'fork' ? 'record-fork' : 'record-outrun', {
      mailbox: toHex(mailbox.subarray(0, 8)),
      peer: peer.peerId,
    })
    await this.#deps.held.keepAhead(answer.record, peer.peerId)
  }

  /** Whom to ask for a record: those known to be near, and where they do not say enough soon, those that a lookup
   *  finds. */
  async *#nearby(
    mailbox: MailboxId,
    { patience, signal }: { patience: Promise<void>; signal: AbortSignal },
  ): AsyncIterable<MeshPeer[]> {
    const { mesh } = this.#deps.transport
    yield await mesh.known(mailbox)
    await patience
    if (!signal.aborted) yield await mesh.closest(mailbox, signal)
  }

  async #askHost(mailbox: MailboxId, host: Host, signal: AbortSignal): Promise<Uint8Array> {
    const peer = { peerId: host.peerId as PeerId, addresses: dialAddresses(host) }
    return this.#ask(mailbox, peer, { signal, locate: true })
  }

  async #ask(
    mailbox: MailboxId,
    peer: MeshPeer,
    init: { signal: AbortSignal; locate?: boolean },
  ): Promise<Uint8Array> {
    const { transport, limits, scheduler } = this.#deps
    if (peer.peerId === transport.peerId) {
      throw new AbzuError('ABZU_NOT_FOUND', 'this node hosts no such mailbox')
    }
    const request = encodeRecordRequest({ kind: 'get', mailbox })
    return call(transport, peer.peerId, recordProtocol, request, {
      addresses: peer.addresses,
      timeoutMs: limits.askMs,
      scheduler,
      ...init,
    })
  }

  #note(event: string, mailbox: MailboxId, { peerId }: MeshPeer, error: unknown): void {
    this.#deps.log.debug(event, {
      mailbox: toHex(mailbox.subarray(0, 8)),
      peer: peerId,
      error: toAbzuError(error),
    })
  }
}
