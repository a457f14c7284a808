/**
 * How two nodes come to trust each other: the owner of one makes a code, the owner of the other accepts it, and
 * each says what to call the other and how much to keep for it.
 * @see docs/protocol.md#pairing
 * @module
 */

import { formatPeerCode, parsePeerCode } from '../../base/crypto/peer-code.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { earliestMs, hourMs, hoursOf, type Clock, type Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import { Turns } from '../../base/util/turns.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import {
  decodePairAnswer,
  encodePairRequest,
  type PairAnswer,
  type PairRequest,
  type PeerCode,
} from '../../base/wire/pair.ts'
import { pairProtocol } from '../../base/wire/protocols.ts'
import { call } from '../transport/call.ts'
import type { Transport } from '../transport/transport.ts'
import type { FederationLimits } from './federation-limits.ts'
import type { Invitation, Invitations } from './invitations.ts'
import { claimedPeerName, parsePeerName, untakenName } from './peer-name.ts'
import type { TrustedPeer, TrustedPeers } from './trusted-peers.ts'

export interface PairingDeps {
  readonly invitations: Invitations
  readonly trusted: TrustedPeers
  readonly transport: Pick<Transport, 'peerId' | 'open' | 'addresses'>
  /** What this node calls itself. */
  readonly nodeName: string
  readonly limits: Pick<FederationLimits, 'inviteHoursMax' | 'acceptMs'>
  readonly clock: Clock
  readonly scheduler: Scheduler
}

/** What the owner says of the other node. */
export interface PairInit {
  /** By its own name where left out. */
  readonly name?: string | undefined
  /** Bytes that this node keeps for it.
   *  @default 10 GB */
  readonly quotaBytes?: number | undefined
}

/** A code to give to the owner of another node. */
export interface GivenCode {
  readonly code: string
  /** Wall clock, ms since 1970: it works before that. */
  readonly untilMs: number
}

const quotaBytesDefault = 10 * 1000 ** 3
const inviteHoursDefault = 24

export class Pairing {
  readonly #deps: PairingDeps
  readonly #turns = new Turns()

  constructor(deps: PairingDeps) {
    this.#deps = deps
  }

  /** Makes a code that one other node can use, once. Resolves after fsync.
   *  @throws {AbzuError} ABZU_INVALID_ARGUMENT, ABZU_ALREADY_EXISTS where a peer has that name,
   *  ABZU_QUOTA_EXCEEDED, those of the store */
  async invite({
    hours = inviteHoursDefault,
    ...init
  }: PairInit & { hours?: number | undefined } = {}): Promise<GivenCode> {
    const { invitations, transport, limits } = this.#deps
    if (!Number.isInteger(hours) || hours < 1 || hours > limits.inviteHoursMax) {
      throw new AbzuError('ABZU_INVALID_ARGUMENT', `hours: from 1 to ${limits.inviteHoursMax}`)
    }
    const { name, quotaBytes } = checked(init)
    return this.#turns.run('', async () => {
      this.#expectUntaken(name)
      const made = await invitations.make({
        ...(name !== undefined && { name }),
        quotaBytes,
        hours,
      })
      const { peerId } = transport
      const code = formatPeerCode({ v: 1, peerId, addresses: this.#addresses(), ...made })
      return { code, untilMs: made.expiresAtHours * hourMs }
    })
  }

  /** Takes up a code of another node. Resolves when both nodes have written down that they trust each other. May be
   *  repeated where it failed on the way.
   *  @throws {AbzuError} ABZU_LINK_INVALID, ABZU_DENIED where the code is used, over or never was,
   *  ABZU_INVALID_ARGUMENT, ABZU_ALREADY_EXISTS, ABZU_QUOTA_EXCEEDED, those of `call` and of the store */
  async accept(code: string, init: PairInit = {}, signal?: AbortSignal): Promise<TrustedPeer> {
    const { trusted, transport, clock } = this.#deps
    const invitation = parsePeerCode(code)
    const peerId = invitation.peerId as PeerId
    if (peerId === transport.peerId) {
      throw new AbzuError('ABZU_INVALID_ARGUMENT', 'this code is for another node than its own')
    }
    if (hoursOf(earliestMs(clock)) >= invitation.expiresAtHours) throw denied()
    const { name, quotaBytes } = checked(init)
    trusted.expectRoom({ peerId, name })
    const answer = await this.#ask(invitation, quotaBytes, signal)
    return this.#turns.run('', async () => {
      const grantedBytes = answer.quotaBytes
      const { addresses } = invitation
      return this.#trust({ peerId, name, claims: answer.name, quotaBytes, grantedBytes, addresses })
    })
  }

  /** Answers a node that takes up a code of this one. Resolves when it is trusted, after fsync. The same node may
   *  ask again with the same code, for the answer may have got lost, and as long as it is trusted.
   *  @throws {AbzuError} ABZU_DENIED, ABZU_QUOTA_EXCEEDED, those of the store */
  async admit(peerId: PeerId, request: PairRequest): Promise<PairAnswer> {
    const { invitations, trusted, nodeName } = this.#deps
    return this.#turns.run('', async () => {
      const invitation = invitations.find(request.token)
      if (!invitation || !this.#isFor(invitation, peerId)) throw denied()
      const isFirst = invitation.usedBy === undefined
      const { quotaBytes } = invitation
      // what was preset may be taken by now
      const name = isFirst && invitation.name ? this.#untaken(invitation.name, peerId) : undefined
      const { name: claims, quotaBytes: grantedBytes, addresses } = request
      const peer = { peerId, name, claims, quotaBytes, grantedBytes, addresses }
      await this.#trust(peer, await invitations.use(invitation, peerId))
      return { name: nodeName, quotaBytes: trusted.get(peerId)?.quotaBytes ?? quotaBytes }
    })
  }

  /** Whoever has used a code is answered again while it is trusted: to remove it is the last word. */
  #isFor({ usedBy }: Invitation, peerId: PeerId): boolean {
    if (usedBy === undefined) return true
    return usedBy === peerId && this.#deps.trusted.get(peerId) !== undefined
  }

  async #ask(
    { token, peerId, addresses }: PeerCode,
    quotaBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<PairAnswer> {
    const { transport, nodeName: name, limits, scheduler } = this.#deps
    const request = encodePairRequest({ token, name, quotaBytes, addresses: this.#addresses() })
    try {
      const answer = await call(transport, peerId as PeerId, pairProtocol, request, {
        addresses: addresses.map((address) => `${address}/p2p/${peerId}`),
        locate: true,
        timeoutMs: limits.acceptMs,
        scheduler,
        signal,
      })
      return decodePairAnswer(answer)
    } catch (error) {
      throw isAbzuError(error, 'ABZU_DENIED') ? denied(error) : error
    }
  }

  /** `name` is the owner's; without one, the peer keeps the name that it has, or gets the one that it claims. */
  async #trust(
    {
      claims,
      ...peer
    }: Omit<TrustedPeer, 'name' | 'sinceMs'> & { name: string | undefined; claims: string },
    alongside: Parameters<TrustedPeers['add']>[1] = [],
  ): Promise<TrustedPeer> {
    const { trusted, clock } = this.#deps
    const { peerId } = peer
    const known = trusted.get(peerId)
    const claimed = () => this.#untaken(claimedPeerName(claims, peerId), peerId)
    const added: TrustedPeer = {
      ...peer,
      name: peer.name ?? known?.name ?? claimed(),
      sinceMs: known?.sinceMs ?? Math.floor(clock.nowMs()),
    }
    await trusted.add(added, alongside)
    return added
  }

  #untaken(name: string, peerId: PeerId): string {
    return untakenName(name, (other) => this.#deps.trusted.isTaken(other, peerId))
  }

  #expectUntaken(name: string | undefined): void {
    const { trusted, transport } = this.#deps
    if (name === undefined || !trusted.isTaken(name, transport.peerId)) return
    throw new AbzuError('ABZU_ALREADY_EXISTS', `there is a trusted peer ${name}`)
  }

  /** Where this node is reached, without its peer id. */
  #addresses(): string[] {
    const { transport } = this.#deps
    const own = transport.addresses().map((address) => address.split('/p2p/', 1)[0] ?? '')
    return own.slice(0, wireLimits.addressesMax)
  }
}

/** @throws {AbzuError} ABZU_INVALID_ARGUMENT */
function checked({ name, quotaBytes = quotaBytesDefault }: PairInit) {
  if (!Number.isInteger(quotaBytes) || quotaBytes < 0 || quotaBytes > wireLimits.quotaBytesMax) {
    const message = `a quota is from 0 to ${wireLimits.quotaBytesMax} bytes`
    throw new AbzuError('ABZU_INVALID_ARGUMENT', message)
  }
  return { name: name === undefined ? undefined : parsePeerName(name), quotaBytes }
}

/** One and the same, whatever is wrong: a stranger learns nothing of the codes that were given. */
function denied(cause?: unknown): AbzuError {
  const message = 'the code was used, has ended or never was one: ask for another'
  return new AbzuError('ABZU_DENIED', message, { cause })
}
