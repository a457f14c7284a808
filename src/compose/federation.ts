/** Puts together what this node agrees on with others that it trusts. @module */

import { hostname } from 'node:os'
import type { Config } from '../config.ts'
import type { CryptoPlatform } from '../base/crypto/platform.ts'
import type { Store } from '../base/store/store.ts'
import type { Clock, Scheduler } from '../base/util/clock.ts'
import { pairProtocol } from '../base/wire/protocols.ts'
import type { Host } from '../base/wire/records.ts'
import { defaultFederationLimits as limits } from '../machine/federation/federation-limits.ts'
import { Invitations } from '../machine/federation/invitations.ts'
import { pairHandler } from '../machine/federation/pair-handler.ts'
import { Pairing } from '../machine/federation/pairing.ts'
import { claimedPeerName } from '../machine/federation/peer-name.ts'
import { TrustedPeers, type TrustedPeer } from '../machine/federation/trusted-peers.ts'
import type { PeerBook } from '../machine/node/peer-book.ts'
import { serveCalls } from '../machine/transport/call.ts'
import type { Transport } from '../machine/transport/transport.ts'
import type { FederationService } from '../surface/api/services.ts'
import { holdersMax } from '../user/account/holder-choice.ts'

/** Addresses of each holder that an account names: with them a record stays below its limit. */
const holderAddressesMax = 3

export interface FederationParts {
  readonly config: Pick<Config, 'nodeName'>
  readonly store: Store
  readonly transport: Transport
  readonly platform: CryptoPlatform
  /** Peers that are kept by the owner's word alone. */
  readonly peers: Pick<PeerBook, 'addressesOf'>
  readonly clock: Clock
  readonly scheduler: Scheduler
}

export interface Federation {
  readonly trusted: TrustedPeers
  /** For the control API. */
  readonly service: Omit<FederationService, 'status'>
}

/** Serves what trust is made by; connects to nobody yet. */
export async function openFederation(parts: FederationParts): Promise<Federation> {
  const { config, store, transport, peers, clock, scheduler } = parts
  const trusted = await TrustedPeers.open({
    store,
    transport,
    keptElsewhere: (peer) => peers.addressesOf(peer),
    limits,
    clock,
  })
  const invitations = new Invitations({
    ...parts,
    table: store.table('peer-invites'),
    isTrusted: (peer) => trusted.get(peer) !== undefined,
    limits,
  })
  const nodeName = claimedPeerName(config.nodeName ?? hostname(), transport.peerId)
  const pairing = new Pairing({ ...parts, invitations, trusted, nodeName, limits })
  const answer = pairHandler({ pairing, limits, clock })
  serveCalls(transport, pairProtocol, { timeoutMs: 5000, scheduler, answer })
  const told = ({ sinceMs, ...peer }: TrustedPeer) => ({
    ...peer,
    connected: transport.isConnected(peer.peerId),
    since: new Date(sinceMs).toISOString(),
  })
  const service: Federation['service'] = {
    async invite(init) {
      const { code, untilMs } = await pairing.invite(init)
      return { code, until: new Date(untilMs).toISOString() }
    },
    accept: async (code, init, signal) => told(await pairing.accept(code, init, signal)),
    list: () => trusted.list().map(told),
    async remove(nameOrPeerId) {
      const peer = trusted.named(nameOrPeerId)
      await trusted.remove(peer.peerId)
      return told(peer)
    },
  }
  return { trusted, service }
}

/** Those of the trusted nodes that keep copies, of all or `among` some: a record has room for so many. */
export function holdersOf(trusted: TrustedPeers, among?: readonly string[]): Host[] {
  return trusted
    .list()
    .filter(({ peerId }) => among?.includes(peerId) ?? true)
    .slice(0, holdersMax)
    .map(({ peerId, addresses }) => ({
      peerId,
      role: 'replica',
      addresses: addresses.slice(0, holderAddressesMax),
    }))
}
