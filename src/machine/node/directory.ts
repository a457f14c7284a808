/**
 * Where other people's mail goes: their signed mailbox records, asked of the hosts that a link or a
 * contact names.
 * @see docs/protocol.md#mailbox-record
 * @module
 */

import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { recordProtocol } from '../../base/wire/protocols.ts'
import { decodeRecordRequest, encodeRecordRequest } from '../../base/wire/record-call.ts'
import type { Host } from '../../base/wire/records.ts'
import { call } from '../transport/call.ts'
import type { Transport } from '../transport/transport.ts'

/** The records of the mailboxes that this node hosts. */
export interface HostedRecords {
  record(mailbox: MailboxId): Promise<Uint8Array | undefined>
}

export interface DirectoryDeps {
  readonly transport: Transport
  readonly records: HostedRecords
  readonly scheduler: Scheduler
}

const resolveTimeoutMs = 5000

/** The addresses of a host as a transport dials them: a record names the peer once, not in each. */
export function dialAddresses({ peerId, addresses = [] }: Host): string[] {
  return addresses.map((address) => `${address}/p2p/${peerId}`)
}

export class Directory {
  readonly #deps: DirectoryDeps

  constructor(deps: DirectoryDeps) {
    this.#deps = deps
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

  /** The record that the first of `hosts` to answer has. Not verified: the caller knows the root key.
   *  @throws {AbzuError} ABZU_NOT_FOUND where a host answered without one; ABZU_UNREACHABLE, ABZU_TIMEOUT */
  async resolve(mailbox: MailboxId, hosts: readonly Host[]): Promise<Uint8Array> {
    let failure = new AbzuError('ABZU_UNREACHABLE', 'no host of the mailbox is known')
    for (const host of hosts.slice(0, wireLimits.hostsMax)) {
      try {
        return await this.#ask(mailbox, host)
      } catch (error) {
        failure = toAbzuError(error)
        if (!isAbzuError(error)) break
      }
    }
    throw failure
  }

  async #ask(mailbox: MailboxId, host: Host): Promise<Uint8Array> {
    const { transport, records, scheduler } = this.#deps
    const peer = host.peerId as PeerId
    if (peer === transport.peerId) return found(await records.record(mailbox))
    return call(transport, peer, recordProtocol, encodeRecordRequest(mailbox), {
      addresses: dialAddresses(host),
      timeoutMs: resolveTimeoutMs,
      scheduler,
    })
  }
}

/** Answers one call of `/abzu/record/1.0.0`.
 *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_MALFORMED */
export function recordHandler(
  records: HostedRecords,
): (request: Uint8Array) => Promise<Uint8Array> {
  return async (request) => found(await records.record(decodeRecordRequest(request) as MailboxId))
}

function found(record: Uint8Array | undefined): Uint8Array {
  if (!record) throw new AbzuError('ABZU_NOT_FOUND', 'no record of this mailbox')
  return record
}
