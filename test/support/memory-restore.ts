/**
 * What brings mailboxes from node to node, in memory: it copies what another node holds, after that has checked who
 * asks.
 * @module
 */

import { mailboxIdOf } from '../../src/base/crypto/address.ts'
import { openDeviceCertificate } from '../../src/base/crypto/certificate.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { isRestoreClaim } from '../../src/base/crypto/restore-claim.ts'
import { plainSlotKey } from '../../src/base/crypto/slot-header.ts'
import { equalBytes, mapKey } from '../../src/base/util/bytes.ts'
import type { Clock } from '../../src/base/util/clock.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import { plainSlotName } from '../../src/base/wire/plain-slot.ts'
import { parseSlotHeader } from '../../src/base/wire/slot.ts'
import type {
  Claim,
  MailboxPort,
  RestoreInit,
  RestorePort,
  SignedSlot,
} from '../../src/user/account/ports.ts'
import { MemoryMailbox, type MemoryNode } from './memory-ports.ts'

export class MemoryRestore implements RestorePort {
  readonly #node: MemoryNode
  readonly #deps: { platform: CryptoPlatform; clock: Clock }
  /** Nodes that were asked, in order. */
  readonly asked: string[] = []
  /** What is left out of every copy, as by a holder that has lost it. */
  isLost: (slot: SignedSlot) => boolean = () => false

  constructor(node: MemoryNode, deps: { platform: CryptoPlatform; clock: Clock }) {
    this.#node = node
    this.#deps = deps
  }

  async restore(claim: Claim, { hosts, progress, signal }: RestoreInit): Promise<MailboxPort> {
    this.#expectClaim(claim)
    const key = mapKey(mailboxIdOf(this.#deps.platform, claim.rootPk))
    const { mailboxes, network } = this.#node
    let wasReached = false
    for (const { peerId } of hosts) {
      signal.throwIfAborted()
      this.asked.push(peerId)
      const holder = [...network.nodes.values()].find((node) => node.peerId === peerId)
      if (!holder?.isOnline || holder.disk.hasFailed) continue
      wasReached = true
      const from = holder.mailboxes.get(key)
      if (!from) continue
      const copy = mailboxes.get(key) ?? new MemoryMailbox(this.#node, this.#deps, claim.rootPk)
      const slots = this.#slotsOf(from)
      const itemsTotal = slots.length + from.mailOnDisk.length
      progress({ items: 0, bytes: 0, itemsTotal })
      const checked = copy.checkAll(slots)
      await this.#node.disk.write(() => {
        mailboxes.set(key, copy)
        copy.apply(checked)
        for (const item of from.mailOnDisk) {
          const isHere = copy.mailOnDisk.some(({ id }) => equalBytes(id, item.id))
          if (!isHere) copy.inject(item.envelope, item.isStrange)
        }
      })
      const bytes = slots.reduce((sum, { signed, body }) => sum + signed.length + body.length, 0)
      progress({ items: itemsTotal, bytes, itemsTotal })
      return copy
    }
    const here = mailboxes.get(key)
    if (here) return here
    throw wasReached
      ? new AbzuError('ABZU_NOT_FOUND', 'nobody has it')
      : new AbzuError('ABZU_UNREACHABLE', 'nobody there')
  }

  /** Identity first: it lets the others count. */
  #slotsOf({ mailbox, slotsOnDisk }: MemoryMailbox): SignedSlot[] {
    const identity = plainSlotKey(this.#deps.platform, mailbox, plainSlotName.identity)
    const isIdentity = ({ signed }: SignedSlot): boolean =>
      equalBytes(parseSlotHeader(signed).header.key, identity)
    const slots = [...slotsOnDisk.values()].filter((slot) => !this.isLost(slot))
    return [...slots.filter(isIdentity), ...slots.filter((slot) => !isIdentity(slot))]
  }

  #expectClaim({ rootPk, certificate, sign }: Claim): void {
    const { platform } = this.#deps
    const { signPk } = openDeviceCertificate(platform, certificate, rootPk)
    const challenge = platform.random(32)
    if (!isRestoreClaim(platform, signPk, { challenge, signature: sign(challenge) })) {
      throw new AbzuError('ABZU_DENIED', 'the claim is not signed by the device')
    }
  }
}

/** Of nodes that bring nothing. */
export const noRestore: RestorePort = {
  restore: async () => {
    throw new AbzuError('ABZU_NOT_FOUND', 'nobody has it')
  },
}
