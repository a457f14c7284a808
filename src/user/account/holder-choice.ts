/**
 * Which of the trusted nodes hold an account's mailbox: all that agreed, unless its owner has chosen. The choice is a
 * setting in the vault; the record that is signed next names it.
 * @see docs/protocol.md#mailbox-record
 * @module
 */

import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { Host } from '../../base/wire/records.ts'
import { decodeShape, list, literal, record, text } from '../../base/wire/shape.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { Gate } from './gate.ts'
import type { NextHosts } from './own-record.ts'
import type { DirectoryPort } from './ports.ts'
import type { Prekeys } from './prekeys.ts'
import { Serial } from './serial.ts'
import type { SlotDraft } from './slot-draft.ts'
import type { Vault } from './vault.ts'

/** Holders that an account names besides those of an earlier home: with more a record might pass its limit. */
export const holdersMax = 4

const slotName = 'setting/holders'

const choiceShape = record({
  v: literal(1),
  /** Peer ids; nobody where it is empty. */
  peers: list(text(64), holdersMax),
})

export interface HolderChoiceDeps {
  readonly vault: Pick<Vault, 'get' | 'draft' | 'emptyDraft'>
  readonly write: (drafts: readonly SlotDraft[]) => Promise<void>
  readonly gate: Gate
  readonly prekeys: Pick<Prekeys, 'record' | 'follow'>
  readonly directory: Pick<DirectoryPort, 'home' | 'holders' | 'hasParted'>
}

/** Who keeps copies of an account's mailbox now, and why. */
export interface Holders {
  /** Whether the owner has chosen; otherwise all that agreed keep copies. */
  readonly chosen: boolean
  /** By the newest record. */
  readonly holders: readonly { readonly peerId: string; readonly role: Host['role'] }[]
}

export class HolderChoice {
  readonly #deps: HolderChoiceDeps
  readonly #changes = new Serial()

  constructor(deps: HolderChoiceDeps) {
    this.#deps = deps
  }

  /** @throws {AbzuError} ABZU_LOCKED, those of Vault.get */
  async look(): Promise<Holders> {
    const { gate, prekeys } = this.#deps
    return gate.pass(async () => {
      const chosen = (await this.#chosen()) !== undefined
      const { hosts } = prekeys.record.record
      const others = hosts.filter(({ role }) => role !== 'home')
      return { chosen, holders: others.map(({ peerId, role }) => ({ peerId, role })) }
    })
  }

  /** Lets these nodes hold the mailbox and no others, or, without `peers`, all that agree, now and later. Resolves when
   *  the record that says so is durable; who is named no more as a holder hands over what it has.
   *  @throws {AbzuError} ABZU_LOCKED, ABZU_NOT_FOUND (a node that has not agreed), ABZU_INVALID_ARGUMENT (too many),
   *  those of the store */
  async choose(peers: readonly string[] | undefined): Promise<Holders> {
    const { vault, write, gate, prekeys, directory } = this.#deps
    await gate.pass(async () =>
      this.#changes.run(async () => {
        const wanted = peers && [...new Set(peers)]
        if (wanted && wanted.length > holdersMax) {
          throw new AbzuError('ABZU_INVALID_ARGUMENT', `${holdersMax} nodes at most hold a mailbox`)
        }
        const named = prekeys.record.record.hosts.filter(({ role }) => role === 'replica')
        const known = new Set([...directory.holders(wanted), ...named].map(({ peerId }) => peerId))
        const unknown = wanted?.find((peerId) => !known.has(peerId))
        if (unknown !== undefined) {
          throw new AbzuError('ABZU_NOT_FOUND', 'no node of that name has agreed to keep copies')
        }
        const value = wanted && encode({ v: 1, peers: wanted })
        await write([value ? vault.draft(slotName, value) : vault.emptyDraft(slotName)])
        await prekeys.follow(async (hosts) => this.after(hosts))
      }),
    )
    return this.look()
  }

  /** Who is to have copies of the mailbox, where a record names `named`: the home, all that agreed and were not left
   *  out, and of those that agreed with an earlier home the same.
   *  @throws {AbzuError} those of Vault.get */
  async after(named: readonly Host[]): Promise<NextHosts> {
    const { directory } = this.#deps
    const chosen = await this.#chosenFrom(named)
    const now = [directory.home(), ...directory.holders(chosen)]
    const isNow = ({ peerId }: Host): boolean => now.some((host) => host.peerId === peerId)
    const left = named.filter((host) => host.role === 'replica' && !isNow(host))
    const agreed = left.filter(({ peerId }) => !directory.hasParted(peerId))
    const earlier = agreed.filter(({ peerId }) => chosen?.includes(peerId) ?? true)
    const hosts = [...now, ...earlier].slice(0, wireLimits.hostsMax)
    const leftOut = agreed.filter((host) => !hosts.includes(host))
    const former = named.filter((host) => host.role === 'former' && !isNow(host))
    return {
      hosts,
      former: [...leftOut.map((host): Host => ({ ...host, role: 'former' })), ...former],
    }
  }

  /** The owner's choice, as seen from here: where it names this node, it was made at an earlier home, which takes the place of
   *  this node from now on. */
  async #chosenFrom(named: readonly Host[]): Promise<readonly string[] | undefined> {
    const { directory, vault, write } = this.#deps
    const choice = await this.#chosen()
    const here = directory.home().peerId
    if (!choice?.includes(here)) return choice
    const left = named.find(({ role }) => role === 'former')?.peerId
    const peers = [...new Set(choice.flatMap((peer) => (peer === here ? (left ?? []) : peer)))]
    await write([vault.draft(slotName, encode({ v: 1, peers }))])
    return peers
  }

  async #chosen(): Promise<readonly string[] | undefined> {
    const value = await this.#deps.vault.get(slotName)
    return value && decodeShape(choiceShape, value, 'choice of holders').peers
  }
}
