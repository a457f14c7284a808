/**
 * The machine half as an account sees it, in memory: hosts that check what real ones check, an outbox,
 * a directory, rows. Nodes hand mail over to each other directly. A node can be switched off, and its
 * disk can fail at any step.
 * @module
 */

import { itemIdOf, mailboxIdOf } from '../../src/base/crypto/address.ts'
import { openDeviceCertificate } from '../../src/base/crypto/certificate.ts'
import { doorProof } from '../../src/base/crypto/door.ts'
import {
  compareRecords,
  openMailboxRecord,
  prekeyIdOf,
  verifyMailboxRecord,
} from '../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { isStamp } from '../../src/base/crypto/stamp.ts'
import { plainSlotKey, slotIdOf, verifySlot } from '../../src/base/crypto/slot-header.ts'
import type { ItemId, MailboxId, PeerId } from '../../src/base/util/brand.ts'
import { compareBytes, concatBytes, equalBytes, mapKey } from '../../src/base/util/bytes.ts'
import type { Clock } from '../../src/base/util/clock.ts'
import { AbzuError, type ErrorCode } from '../../src/base/util/errors.ts'
import type { Pass, StampPass } from '../../src/base/wire/deliver.ts'
import { parseEnvelopeHeader } from '../../src/base/wire/envelope.ts'
import {
  identitySlotShape,
  parsePlainSlot,
  plainSlotKind,
  plainSlotName,
} from '../../src/base/wire/plain-slot.ts'
import {
  acknowledgementShape,
  doorShape,
  type Door,
  type Host,
  type MailboxRecord,
} from '../../src/base/wire/records.ts'
import { decodeShape } from '../../src/base/wire/shape.ts'
import { parseSlotHeader, slotClass, type SlotClass } from '../../src/base/wire/slot.ts'
import type {
  DirectoryPort,
  HostingPort,
  MailboxPort,
  MailItem,
  Outcome,
  Outgoing,
  PostPort,
  SignedSlot,
} from '../../src/user/account/ports.ts'
import { MemoryDisk, turn } from './memory-disk.ts'
import { MemoryTables } from './memory-tables.ts'
import { MemoryTiers, memoryUse } from './memory-tiers.ts'

const hourMs = 3_600_000

/** Everything that nodes hand over, in order. */
export class MemoryNetwork {
  readonly nodes = new Map<PeerId, MemoryNode>()
  /** Every envelope that was handed to a host. */
  readonly carried: Outgoing[] = []
  /** Whether records are found without a host that is named. */
  hasDirectory = false

  /** @throws {AbzuError} ABZU_UNREACHABLE */
  published(mailbox: MailboxId): Uint8Array {
    const nodes = [...this.nodes.values()].filter(({ isOnline }) => isOnline && this.hasDirectory)
    const records = nodes.flatMap((node) => node.mailboxes.get(mapKey(mailbox))?.record ?? [])
    const [newest] = records
      .map((record) => verifyMailboxRecord(nodePlatform(), record))
      .sort((a, b) => compareRecords(nodePlatform(), b, a))
    if (newest) return newest.signed
    throw new AbzuError('ABZU_UNREACHABLE', 'no host of the mailbox is known')
  }

  /** Lets the event loop turn until no node has anything to carry. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 30; quiet++) {
      await turn()
      for (const node of this.nodes.values()) if (node.carry()) quiet = 0
    }
  }
}

interface StoredOutcome extends Outcome {
  readonly from: string
}

export class MemoryNode {
  readonly peerId: PeerId
  readonly disk = new MemoryDisk()
  readonly network: MemoryNetwork
  readonly mailboxes = new Map<string, MemoryMailbox>()
  readonly outbox: { id: ItemId; outgoing: Outgoing }[] = []
  readonly outcomes: StoredOutcome[] = []
  readonly tables = new MemoryTables(this.disk)
  readonly tiers = new MemoryTiers()
  readonly use = memoryUse
  readonly addresses: string[] = ['/ip4/127.0.0.1/tcp/4001']
  /** Whether others reach it. */
  isOnline = true
  /** Makes the next posts fail. */
  postFailure: ErrorCode | undefined
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #deps: { platform: CryptoPlatform; clock: Clock }

  constructor(
    network: MemoryNetwork,
    peerId: PeerId,
    deps: { platform: CryptoPlatform; clock: Clock },
  ) {
    this.network = network
    this.peerId = peerId
    this.#deps = deps
    network.nodes.set(this.peerId, this)
  }

  /** After a crash: what is on the disk is all that is left. */
  revive(): void {
    this.disk.revive()
    this.#listeners.clear()
    for (const mailbox of this.mailboxes.values()) mailbox.listeners.clear()
  }

  readonly hosting: HostingPort = {
    copied: { has: () => true },
    host: async (rootPk, slots) => {
      const mailbox = new MemoryMailbox(this, this.#deps, rootPk)
      const checked = mailbox.checkAll(slots)
      await this.disk.write(() => {
        mailbox.apply(checked)
        this.mailboxes.set(mapKey(mailbox.mailbox), mailbox)
      })
      return mailbox
    },
    deliver: async (letter) => {
      const mailbox = this.mailboxes.get(mapKey(letter.to)) as MemoryMailbox
      let error: ErrorCode | undefined
      await this.disk.write(() => (error = mailbox.accept(letter)))
      if (error) throw new AbzuError(error, 'not taken')
    },
    mailbox: (id) => {
      const mailbox = this.mailboxes.get(mapKey(id))
      if (!mailbox) throw new AbzuError('ABZU_NOT_HOSTED', 'not hosted')
      return mailbox
    },
    leave: async (id) => this.disk.write(() => void this.mailboxes.delete(mapKey(id))),
  }

  /** Who keeps copies for this node. */
  holders: readonly Host[] = []
  isCovered = true
  readonly parted = new Set<string>()
  /** What another node showed to be newer than the record of the account here. */
  recordAhead: Uint8Array | undefined
  readonly bequeathed: Uint8Array[] = []

  readonly directory: DirectoryPort = {
    home: () => ({ peerId: this.peerId, role: 'home', addresses: this.addresses }),
    holders: (among) => this.holders.filter(({ peerId }) => among?.includes(peerId) ?? true),
    isCovered: async () => this.isCovered,
    hasParted: (peerId) => this.parted.has(peerId),
    resolve: async (mailbox, hosts) => {
      await turn()
      for (const { peerId } of hosts) {
        const node = this.network.nodes.get(peerId as PeerId)
        const record = node?.isOnline && node.mailboxes.get(mapKey(mailbox))?.record
        if (!this.isOnline || !record) continue
        return this.network.hasDirectory ? this.network.published(mailbox) : record
      }
      return this.network.published(mailbox)
    },
    ahead: async (mailbox) => {
      await turn()
      const own = this.mailboxes.get(mapKey(mailbox))?.record
      if (this.recordAhead || !own || !this.isOnline || !this.network.hasDirectory) {
        return this.recordAhead
      }
      const newest = this.network.published(mailbox)
      return equalBytes(newest, own) ? undefined : newest
    },
    bequeath: async (signed) => this.disk.write(() => void this.bequeathed.push(signed)),
  }

  readonly post: PostPort = {
    post: async (outgoing) => {
      if (this.postFailure) throw new AbzuError(this.postFailure, 'as the test wants it')
      const id = itemIdOf(this.#deps.platform, outgoing.envelope)
      await this.disk.write(() => this.outbox.push({ id, outgoing }))
      return id
    },
    outcomes: async (from) => {
      await turn()
      this.disk.expectAlive()
      return this.outcomes.filter((outcome) => outcome.from === mapKey(from)).slice(0, 256)
    },
    settle: async (from, outcomes) => {
      const nameOf = ({ id, state }: Pick<Outcome, 'id' | 'state'>) => `${mapKey(id)} ${state}`
      const settled = new Set(outcomes.map(nameOf))
      await this.disk.write(() => {
        for (const [n, outcome] of [...this.outcomes.entries()].toReversed()) {
          const isSettled = outcome.from === mapKey(from) && settled.has(nameOf(outcome))
          if (isSettled) this.outcomes.splice(n, 1)
        }
      })
    },
    watch: (from, listener) => this.#listen(mapKey(from), listener),
  }

  /** Hands over what waits and whose home is there; whether there was anything. */
  carry(): boolean {
    if (this.disk.hasFailed) return false
    const waiting = this.outbox.filter(({ outgoing }) => this.#isThere(outgoing.hosts))
    for (const entry of waiting) {
      this.outbox.splice(this.outbox.indexOf(entry), 1)
      this.#conclude(entry.outgoing, this.#answer(entry.id, entry.outgoing))
    }
    return waiting.length > 0
  }

  /** Envelopes that a holder has. */
  readonly #held = new Set<string>()

  /** A holder has what waits, which goes on to its home. */
  hold(by: PeerId): void {
    for (const { id, outgoing } of this.outbox) {
      if (this.#held.has(mapKey(id))) continue
      this.#held.add(mapKey(id))
      const { expiresAtHours } = parseEnvelopeHeader(outgoing.envelope)
      const held = { id, state: 'held' as const, atMs: this.#deps.clock.nowMs(), by }
      this.#conclude(outgoing, { ...held, holdUntilHours: expiresAtHours })
    }
  }

  /** What waits and is over by its own header; nothing is told of what a holder has. */
  expire(): void {
    const nowHours = Math.floor(this.#deps.clock.nowMs() / hourMs)
    for (const { id, outgoing } of this.outbox.splice(0)) {
      const isOver = parseEnvelopeHeader(outgoing.envelope).expiresAtHours <= nowHours
      if (!isOver) this.outbox.push({ id, outgoing })
      else if (!this.#held.has(mapKey(id))) {
        this.#conclude(outgoing, { id, state: 'expired', ...this.#here() })
      }
    }
  }

  recordOf(mailbox: MailboxId): Uint8Array {
    const record = this.mailboxes.get(mapKey(mailbox))?.record
    if (!record) throw new AbzuError('ABZU_NOT_FOUND', 'no such mailbox')
    return record
  }

  #here(): { atMs: number; by: PeerId } {
    return { atMs: this.#deps.clock.nowMs(), by: this.peerId }
  }

  #isThere(hosts: readonly Host[]): boolean {
    const home = hosts.find(({ role }) => role === 'home')
    const node = this.network.nodes.get(home?.peerId as PeerId)
    return this.isOnline && node !== undefined && node.isOnline && !node.disk.hasFailed
  }

  #reach(hosts: readonly Host[]): MemoryNode {
    const node = this.network.nodes.get(hosts[0]?.peerId as PeerId)
    if (!node || !this.#isThere(hosts)) throw new AbzuError('ABZU_UNREACHABLE', 'nobody there')
    return node
  }

  #answer(id: ItemId, outgoing: Outgoing): Outcome {
    this.network.carried.push(outgoing)
    const node = this.#reach(outgoing.hosts)
    const atMs = this.#deps.clock.nowMs()
    const by = node.peerId
    const mailbox = node.mailboxes.get(mapKey(outgoing.to))
    const error = mailbox ? mailbox.accept(outgoing) : 'ABZU_NOT_HOSTED'
    if (!error) return { id, state: 'delivered', atMs, by }
    const record = (): Uint8Array => node.recordOf(outgoing.to)
    if (error === 'ABZU_STALE_KEY') return { id, state: 'stale-key', atMs, by, record: record() }
    const answered = error === 'ABZU_STAMP_INVALID' ? { record: record() } : {}
    return { id, state: 'refused', error, atMs, by, ...answered }
  }

  #conclude({ from }: Outgoing, outcome: Outcome): void {
    this.outcomes.push({ ...outcome, from: mapKey(from) })
    for (const listener of this.#listeners.get(mapKey(from)) ?? []) listener()
  }

  #listen(key: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set()
    this.#listeners.set(key, listeners.add(listener))
    return () => void listeners.delete(listener)
  }
}

interface CheckedSlot extends SignedSlot {
  readonly key: string
}

export class MemoryMailbox implements MailboxPort {
  readonly mailbox: MailboxId
  readonly slotsOnDisk = new Map<string, SignedSlot>()
  readonly mailOnDisk: MailItem[] = []
  readonly listeners = new Set<() => void>()
  /** How often the disk was asked to drop what emptied slots held. */
  erased = 0
  record: Uint8Array | undefined
  readonly #node: MemoryNode
  readonly #platform: CryptoPlatform
  readonly #clock: Clock
  readonly rootPk: Uint8Array
  readonly #acknowledged = new Set<string>()
  readonly #doorUses = new Map<string, number>()
  #devices = new Set<string>()
  #arrivals = 0

  constructor(
    node: MemoryNode,
    { platform, clock }: { platform: CryptoPlatform; clock: Clock },
    rootPk: Uint8Array,
  ) {
    this.#node = node
    this.#platform = platform
    this.#clock = clock
    this.rootPk = rootPk
    this.mailbox = mailboxIdOf(platform, rootPk)
  }

  async mail({ after = -1, limit }: { after?: number; limit: number }) {
    await turn()
    this.#node.disk.expectAlive()
    const all = this.mailOnDisk.filter(({ arrival }) => arrival > after)
    const items = all.slice(0, limit)
    const next = items.at(-1)?.arrival
    return { items, ...(all.length > limit && next !== undefined && { next }) }
  }

  async putSlots(slots: readonly SignedSlot[]): Promise<void> {
    const checked = this.checkAll(slots)
    await this.#node.disk.write(() => this.apply(checked))
  }

  async slot(key: Uint8Array): Promise<SignedSlot | undefined> {
    await turn()
    this.#node.disk.expectAlive()
    return this.slotsOnDisk.get(mapKey(key))
  }

  slots(wanted: SlotClass): AsyncIterable<SignedSlot> {
    this.#node.disk.expectAlive()
    const all = [...this.slotsOnDisk.values()]
    return iterate(all.filter(({ signed }) => parseSlotHeader(signed).header.class === wanted))
  }

  async erase(): Promise<void> {
    await this.#node.disk.write(() => this.erased++)
  }

  watch(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  checkAll(slots: readonly SignedSlot[]): CheckedSlot[] {
    return slots.map((slot) => {
      const { header } = parseSlotHeader(slot.signed)
      if (!equalBytes(header.mailbox, this.mailbox)) throw malformed('another mailbox')
      if (!equalBytes(header.bodyHash, this.#platform.sha256(slot.body))) throw malformed('hash')
      this.#learnDevices(slot)
      if (!this.#devices.has(mapKey(header.device)) || !verifySlot(this.#platform, slot.signed)) {
        throw new AbzuError('ABZU_SIGNATURE_INVALID', 'no device of the account')
      }
      return { ...slot, key: mapKey(header.key) }
    })
  }

  /** All or none, the newest version of each. */
  apply(slots: readonly CheckedSlot[]): void {
    for (const { key, signed, body } of slots) {
      const known = this.slotsOnDisk.get(key)
      if (known && !this.#isNewer(signed, known.signed)) continue
      this.slotsOnDisk.set(key, { signed: concatBytes(signed), body: concatBytes(body) })
      if (parseSlotHeader(signed).header.class === slotClass.plain) this.#act(body)
    }
  }

  /** Takes mail in, or says why not. */
  accept(outgoing: Pass & Pick<Outgoing, 'envelope'>): ErrorCode | undefined {
    const { envelope } = outgoing
    const { keyId, expiresAtHours } = parseEnvelopeHeader(envelope)
    const nowHours = Math.floor(this.#clock.nowMs() / hourMs)
    if (!this.#acceptsKey(keyId, nowHours)) return 'ABZU_STALE_KEY'
    if (expiresAtHours <= nowHours) return 'ABZU_EXPIRED'
    const id = itemIdOf(this.#platform, envelope)
    if ('stamp' in outgoing) return this.#acceptStamped(id, outgoing)
    const { doorId, proof } = outgoing
    const door = this.#door(doorId)
    if (!door || door.untilHours <= nowHours) return 'ABZU_DOOR_CLOSED'
    if (!equalBytes(proof, doorProof(this.#platform, door.key, this.mailbox, id))) {
      return 'ABZU_DOOR_CLOSED'
    }
    if (this.isKnown(id)) return undefined
    const uses = (this.#doorUses.get(mapKey(doorId)) ?? 0) + 1
    if (door.uses !== undefined && uses > door.uses) return 'ABZU_DOOR_CLOSED'
    this.#doorUses.set(mapKey(doorId), uses)
    this.inject(envelope)
    return undefined
  }

  /** It is here, or was acknowledged. */
  isKnown(id: ItemId): boolean {
    const isHere = this.mailOnDisk.some((item) => equalBytes(item.id, id))
    return isHere || this.#acknowledged.has(mapKey(id.subarray(0, 16)))
  }

  #acceptStamped(
    id: ItemId,
    { envelope, stamp }: StampPass & Pick<Outgoing, 'envelope'>,
  ): ErrorCode | undefined {
    const bits = this.#openRecord()?.stampBits ?? 0
    if (bits === 0) return 'ABZU_STRANGERS_REFUSED'
    const order = { mailbox: this.mailbox, item: id, bits }
    if (!isStamp(this.#platform, order, stamp)) return 'ABZU_STAMP_INVALID'
    if (!this.isKnown(id)) this.inject(envelope, true)
    return undefined
  }

  /** Puts bytes into the mailbox as they are, as a host could. */
  inject(envelope: Uint8Array, isStrange = false): void {
    const id = itemIdOf(this.#platform, envelope)
    this.mailOnDisk.push({ id, arrival: this.#arrivals++, envelope, isStrange })
    for (const listener of this.listeners) listener()
  }

  /** Forgets what was acknowledged, as a host could that replays. */
  forgetAcknowledgements(): void {
    this.#acknowledged.clear()
  }

  #isNewer(signed: Uint8Array, than: Uint8Array): boolean {
    const [a, b] = [parseSlotHeader(signed).header, parseSlotHeader(than).header]
    if (a.version !== b.version) return a.version > b.version
    return compareBytes(slotIdOf(this.#platform, signed), slotIdOf(this.#platform, than)) < 0
  }

  #learnDevices({ signed, body }: SignedSlot): void {
    const key = plainSlotKey(this.#platform, this.mailbox, plainSlotName.identity)
    if (!equalBytes(parseSlotHeader(signed).header.key, key)) return
    const slot = decodeShape(identitySlotShape, parsePlainSlot(body).content, 'identity')
    this.#devices = new Set(
      slot.certificates.map((certificate) =>
        mapKey(openDeviceCertificate(this.#platform, certificate, this.rootPk).signPk),
      ),
    )
  }

  #act(body: Uint8Array): void {
    if (body.length === 0) return
    const { kind, content } = parsePlainSlot(body)
    if (kind === plainSlotKind.record) this.record = content
    if (kind !== plainSlotKind.acknowledgement) return
    const { ids } = decodeShape(acknowledgementShape, content, 'acknowledgement')
    for (let at = 0; at < ids.length; at += 16) {
      const short = ids.subarray(at, at + 16)
      this.#acknowledged.add(mapKey(short))
      const place = this.mailOnDisk.findIndex(({ id }) => equalBytes(id.subarray(0, 16), short))
      if (place >= 0) this.mailOnDisk.splice(place, 1)
    }
  }

  #acceptsKey(keyId: Uint8Array, nowHours: number): boolean {
    const record = this.#openRecord()
    if (!record) return false
    const { prekey, priorKeys } = record
    if (equalBytes(prekeyIdOf(this.#platform, prekey), keyId)) return true
    return priorKeys.some((key) => equalBytes(key.keyId, keyId) && nowHours < key.untilHours)
  }

  #openRecord(): MailboxRecord | undefined {
    return this.record && openMailboxRecord(this.#platform, this.record, this.rootPk)
  }

  #door(id: Uint8Array): Door | undefined {
    const key = plainSlotKey(this.#platform, this.mailbox, plainSlotName.door(id))
    const body = this.slotsOnDisk.get(mapKey(key))?.body
    if (!body || body.length === 0) return undefined
    return decodeShape(doorShape, parsePlainSlot(body).content, 'door')
  }
}

function malformed(what: string): AbzuError {
  return new AbzuError('ABZU_MALFORMED', what)
}

async function* iterate<T>(values: readonly T[]): AsyncIterable<T> {
  for (const value of values) {
    await turn()
    yield value
  }
}
