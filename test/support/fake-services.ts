/** A node and its people without network, disk or cryptography: what the API needs, in memory. @module */

import type { Finding } from '../../src/base/health/finding.ts'
import { parseWords } from '../../src/base/crypto/words.ts'
import { FakeInvitations } from './fake-invitations.ts'
import { FakeUploads, pieces } from './fake-uploads.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import { Authority } from '../../src/user/household/authority.ts'
import { FakeOversight } from './fake-oversight.ts'
import { FakeKeys } from './fake-keys.ts'
import type {
  AccountsService,
  AccountSummary,
  ContactSummary,
  FederationService,
  InboxEntry,
  MemberService,
  MessageReport,
  NodeService,
  OpenLink,
  PairInit,
  Sent,
  Services,
  Strangers,
  ToldShare,
  TrustedPeerSummary,
} from '../../src/surface/api/services.ts'
import { FakeLimits } from './fake-limits.ts'

const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
/** The node that `accept` pairs with. */
export const fakePeerId = `12D3KooW${'B'.repeat(44)}`
const time = '2026-11-05T12:00:00.000Z'

/** A text that looks like an account id; equal numbers give equal ids. */
export function fakeId(number: number): string {
  return `abzu1${letters.charAt(number % 32).repeat(59)}`
}

export class FakeMember implements MemberService {
  readonly id: string
  readonly name: string
  readonly role: AccountSummary['role']
  readonly received: InboxEntry[] = []
  readonly sent: { to: string; text: string }[] = []
  strangers: Strangers = 'welcome'
  readonly openLinks = new Map<string, OpenLink>()
  readonly known = new Map<string, ContactSummary>()
  /** The state that `settled` resolves with; undefined waits for the signal. */
  settlesAs: Sent['state'] | undefined = 'delivered'
  /** Who holds every message. */
  holding: Sent['held']
  /** The inbox throws this after its last message. */
  inboxFailure: Error | undefined
  /** Messages that the inbox was asked for, and whether its reader left. */
  taken = 0
  left = false

  constructor({ id, name, role }: { id: string; name: string; role: AccountSummary['role'] }) {
    this.id = id
    this.name = name
    this.role = role
  }

  #contact(nameOrId: string): ContactSummary {
    for (const contact of this.known.values()) {
      if (contact.name === nameOrId || contact.id === nameOrId) return contact
    }
    throw new AbzuError('ABZU_NOT_FOUND', `no contact ${nameOrId}`)
  }

  #change(nameOrId: string, change: Partial<ContactSummary>): ContactSummary {
    const contact = { ...this.#contact(nameOrId), ...change }
    this.known.set(contact.id, contact)
    return contact
  }

  readonly given: { words: readonly string[]; need: number; to: readonly string[] }[] = []
  readonly keptShares: ToldShare[] = []

  readonly shares = {
    give: async (init: { words: readonly string[]; need: number; to: readonly string[] }) => {
      parseWords(init.words)
      const all = init.to.map((name) => this.#contact(name))
      this.given.push(init)
      return all.map(({ id, name }, n) => ({ id, name, msgId: String(n + 1).padStart(32, 'a') }))
    },
    list: () => this.keptShares,
    show: (nameOrId: string) => {
      const { id } = this.#contact(nameOrId)
      return this.keptShares.filter((share) => share.id === id)
    },
  }

  readonly contacts = {
    link: async ({ uses, days }: { uses?: number; days?: number }) =>
      `abzu:${this.id}#${uses ?? 'any'}-${days ?? 30}`,
    add: async ({ link, as }: { link: string; as: string }) => {
      const [, id] = /^abzu:(abzu1[a-z0-9]{59})#/.exec(link) ?? []
      if (id === undefined) throw new AbzuError('ABZU_LINK_INVALID', 'not a contact link')
      const contact = { id, name: as, verified: false, blocked: false, request: false }
      this.known.set(id, contact)
      return contact
    },
    list: () => [...this.known.values()],
    get: (nameOrId: string) => this.#contact(nameOrId),
    safetyNumber: (nameOrId: string) => {
      this.#contact(nameOrId)
      return Array.from({ length: 12 }, () => '12345').join(' ')
    },
    confirm: async (nameOrId: string, digits: string) => {
      if (digits.replaceAll(' ', '') !== '12345'.repeat(12)) {
        throw new AbzuError('ABZU_INVALID_ARGUMENT', 'these are other digits')
      }
      return this.#change(nameOrId, { verified: true })
    },
    block: async (nameOrId: string) => this.#change(nameOrId, { blocked: true }),
    strangers: () => this.strangers,
    letStrangersBe: async (strangers: Strangers) => void (this.strangers = strangers),
  }

  copies: { chosen: boolean; holders: { peerId: string; role: 'replica' | 'former' }[] } = {
    chosen: false,
    holders: [{ peerId: fakePeerId, role: 'replica' }],
  }

  readonly holders = {
    look: async () => this.copies,
    choose: async (peers: readonly string[] | undefined) => {
      const unknown = peers?.find((peerId) => peerId !== fakePeerId)
      if (unknown !== undefined) throw new AbzuError('ABZU_NOT_FOUND', `no peer ${unknown}`)
      const named = peers ?? [fakePeerId]
      const holders = named.map((peerId) => ({ peerId, role: 'replica' as const }))
      return (this.copies = { chosen: peers !== undefined, holders })
    },
  }

  readonly links = {
    list: () => [...this.openLinks.values()],
    shut: async (idOrLink: string): Promise<OpenLink> => {
      const link = this.openLinks.get(idOrLink)
      if (!link) throw new AbzuError('ABZU_NOT_FOUND', `no link ${idOrLink}`)
      this.openLinks.delete(idOrLink)
      return link
    },
  }

  readonly messages = {
    send: async (message: { to: string; text: string }): Promise<Sent> => {
      this.#contact(message.to)
      this.sent.push(message)
      return { msgId: String(this.sent.length).padStart(32, '0'), state: 'queued' }
    },
    settled: async (msgId: string, { signal }: { signal: AbortSignal }): Promise<Sent> => {
      const state = this.settlesAs
      if (state !== undefined) return { msgId, state, ...(this.holding && { held: this.holding }) }
      return new Promise((_, reject) => {
        if (signal.aborted) reject(signal.reason as Error)
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    },
    inbox: () => this.#inbox(),
    show: async (msgId: string): Promise<MessageReport> => {
      if (Number(msgId) > this.sent.length || !(Number(msgId) > 0)) {
        throw new AbzuError('ABZU_NOT_FOUND', 'no such message')
      }
      const queued = { state: 'queued' as const, at: time, by: '12D3KooWFake' }
      if (!this.holding) return { msgId, state: 'queued', history: [queued] }
      const held = { state: 'held' as const, at: time, ...this.holding }
      return { msgId, state: 'held', history: [queued, held] }
    },
    conversation: (nameOrId: string) => this.#conversation(nameOrId),
  }

  async *#inbox() {
    try {
      for (const message of this.received) {
        this.taken++
        yield message
      }
      if (this.inboxFailure) throw this.inboxFailure
    } finally {
      this.left = true
    }
  }

  async *#conversation(nameOrId: string) {
    const { id } = this.#contact(nameOrId)
    for (const { msgId, from, sentAt, text } of this.received) {
      if (from === id) {
        yield { msgId, state: 'delivered' as const, direction: 'in' as const, sentAt, text }
      }
    }
  }

  /** Lets a message arrive. */
  receive(message: Partial<InboxEntry>): void {
    this.received.push({
      msgId: String(this.received.length + 1).padStart(32, '0'),
      from: fakeId(31),
      name: 'friend',
      sentAt: time,
      text: 'hello',
      verified: false,
      request: false,
      ...message,
    })
  }
}

interface Row {
  readonly summary: Omit<AccountSummary, 'locked'>
  password: string
  member: FakeMember | undefined
}

class FakeAccounts implements AccountsService {
  readonly #rows = new Map<string, Row>()
  /** The id of the account that is made next, by how many there are. */
  idOf = fakeId
  /** Every array that a password came in, to look whether it was wiped. */
  readonly passwords: Uint8Array[] = []

  async create(init: { name: string; role: AccountSummary['role']; password: Uint8Array }) {
    const { name, role, password } = init
    this.passwords.push(password)
    if ([...this.#rows.values()].some(({ summary }) => summary.name === name)) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', `there is an account ${name}`)
    }
    const summary = { id: this.idOf(this.#rows.size), name, role }
    const row = {
      summary,
      password: Buffer.from(password).toString(),
      member: new FakeMember(summary),
    }
    this.#rows.set(summary.id, row)
    return { member: row.member, words: Array.from({ length: 24 }, () => 'abandon') }
  }

  async join({ link, ...init }: Parameters<AccountsService['join']>[0]) {
    if (!link.startsWith('abzu-join:')) throw new AbzuError('ABZU_LINK_INVALID', 'no invitation')
    return this.create({ ...init, role: 'child' })
  }

  async remove(nameOrId: string, by: string) {
    const { summary } = this.#row(nameOrId)
    if (summary.role === 'adult' && summary.id !== by)
      return { ...this.get(nameOrId), leavesAt: time }
    this.#rows.delete(summary.id)
    return undefined
  }

  async move(nameOrId: string, { to, progress }: Parameters<AccountsService['move']>[1]) {
    this.member(nameOrId)
    progress(true)
    await this.lock(nameOrId)
    return { to, isComplete: true }
  }

  keep = async (nameOrId: string) => this.get(nameOrId)
  makeAdmin = async (nameOrId: string) => ({ ...this.get(nameOrId), role: 'admin' as const })
  unmakeAdmin = async (nameOrId: string) => ({ ...this.get(nameOrId), role: 'adult' as const })
  growUp = async (nameOrId: string) => ({ ...this.get(nameOrId), role: 'adult' as const })
  letGrowUp = async (nameOrId: string, atMs: number) => ({
    ...this.get(nameOrId),
    growsUpAt: new Date(atMs).toISOString(),
  })

  /** Gives an account another role, unlocked as it is. */
  become(name: string, role: AccountSummary['role']): void {
    const row = this.#row(name)
    Object.assign(row.summary, { role })
    Object.assign(row.member ?? {}, { role })
  }

  /** What `recover` does before it ends. */
  whileRecovering: (init: Parameters<AccountsService['recover']>[0]) => Promise<void> = async (
    init,
  ) => init.progress({ items: 7, bytes: 4321, itemsTotal: 7 })
  /** What `recover` was called with. */
  readonly recovered: { words: readonly string[]; name: string; peer?: string | undefined }[] = []

  async recover(init: Parameters<AccountsService['recover']>[0]): Promise<FakeMember> {
    const { words, name, password, peer } = init
    parseWords(words)
    this.recovered.push({ words, name, peer })
    await this.whileRecovering(init)
    return (await this.create({ name, role: 'admin', password })).member
  }

  /** What an export holds; an error in the place of bytes cuts it off. */
  exports: readonly (Uint8Array | Error)[] = [new TextEncoder().encode('sealed')]
  /** What `exported` was called with. */
  readonly locks: unknown[] = []

  exported = async (nameOrId: string, lock: Parameters<AccountsService['exported']>[1]) => {
    this.member(nameOrId)
    this.locks.push(lock)
    return pieces(this.exports)
  }

  /** What `import` was called with, and read. */
  readonly imported: { file: string; secret: unknown; name?: string; role?: string }[] = []

  import = async (init: Parameters<AccountsService['import']>[0]) => {
    const { secret, name = 'carla', role = 'adult', password, progress } = init
    const decoder = new TextDecoder()
    let file = ''
    for await (const chunk of init.sealed()) file += decoder.decode(chunk)
    this.imported.push({ file, secret, name, role })
    if (file === 'newer') throw new AbzuError('ABZU_EXPORT_NEWER', 'a newer export')
    progress({ items: 7, bytes: 4321, itemsTotal: 7 })
    const { member } = await this.create({ name, role, password })
    return { member, isUpToDate: true }
  }

  /** By id: the node that is the account's home now. */
  readonly movedTo = new Map<string, string>()

  list(): AccountSummary[] {
    return [...this.#rows.values()].map(({ summary, member }) => ({
      ...summary,
      locked: member === undefined,
      movedTo: this.movedTo.get(summary.id),
    }))
  }

  get(nameOrId: string): AccountSummary {
    const { summary, member } = this.#row(nameOrId)
    return { ...summary, locked: member === undefined }
  }

  async unlock(nameOrId: string, password: Uint8Array): Promise<FakeMember> {
    this.passwords.push(password)
    const row = this.#row(nameOrId)
    const movedTo = this.movedTo.get(row.summary.id)
    if (movedTo !== undefined) throw new AbzuError('ABZU_ACCOUNT_MOVED', `it is at ${movedTo} now`)
    if (Buffer.from(password).toString() !== row.password) {
      throw new AbzuError('ABZU_WRONG_PASSWORD', 'that is not the password')
    }
    row.member ??= new FakeMember(row.summary)
    return row.member
  }

  expect(nameOrId: string, password: Uint8Array): void {
    this.passwords.push(password)
    if (Buffer.from(password).toString() !== this.#row(nameOrId).password) {
      throw new AbzuError('ABZU_WRONG_PASSWORD', 'that is not the password')
    }
  }

  set(nameOrId: string, password: Uint8Array): void {
    this.passwords.push(password)
    this.#row(nameOrId).password = Buffer.from(password).toString()
  }

  reopen(nameOrId: string): FakeMember {
    const row = this.#row(nameOrId)
    return (row.member = new FakeMember(row.summary))
  }

  async lock(nameOrId: string): Promise<void> {
    this.#row(nameOrId).member = undefined
  }

  member(nameOrId: string): FakeMember {
    const { member, summary } = this.#row(nameOrId)
    if (member === undefined) throw new AbzuError('ABZU_LOCKED', `${summary.name} is locked`)
    return member
  }

  #row(nameOrId: string): Row {
    for (const row of this.#rows.values()) {
      if (row.summary.name === nameOrId || row.summary.id === nameOrId) return row
    }
    throw new AbzuError('ABZU_NOT_FOUND', `no account ${nameOrId}`)
  }
}

class FakeNode implements NodeService {
  readonly peerId = `12D3KooW${'A'.repeat(44)}`
  readonly version = '0.0.0-fake'
  readonly pid: number
  readonly added: string[] = []
  /** Runs when somebody asks the node to stop. */
  onStop = () => {}

  constructor(pid = process.pid) {
    this.pid = pid
  }

  addresses = () => [`/ip4/127.0.0.1/tcp/1/p2p/${this.peerId}`]
  peers = () => []
  /** Names by peer id. */
  readonly names = new Map<string, string>()
  nameOf = (peerId: string) => this.names.get(peerId)
  /** What `findings` tells. */
  found: Finding[] = [{ check: 'fake', severity: 'ok', found: 'all is well' }]
  isTimeConfirmed = false
  findings = async () => this.found
  verifyStore = async () => [
    { check: 'store-verified', severity: 'ok' as const, found: 'nothing is missing' },
  ]
  confirmTime = async () => {
    this.isTimeConfirmed = true
  }
  metrics = async () => ({
    own: [
      {
        name: 'answers_total',
        help: 'Of a fake',
        kind: 'counter' as const,
        samples: [
          { labels: { outcome: 'good' }, value: 3 },
          { labels: { outcome: 'bad' }, value: 0.5 },
        ],
      },
      { name: 'quiet_total', help: 'Of a fake', kind: 'counter' as const, samples: [] },
      { name: 'letters', help: 'Of a fake', kind: 'gauge' as const, samples: [{ value: 42 }] },
    ],
    foreign: '# TYPE libp2p_fake gauge\nlibp2p_fake 1\n',
  })
  reachability = () => ({
    addresses: this.addresses().map((address) => ({
      address,
      source: 'listening' as const,
      scope: 'loopback' as const,
      transport: 'tcp',
    })),
    lan: false,
    peers: { inbound: 0, outbound: 0 },
  })
  addPeer = async (address: string) => {
    if (!address.startsWith('/')) throw new AbzuError('ABZU_ADDRESS_INVALID', 'not an address')
    this.added.push(address)
  }
  stop = () => this.onStop()
}

class FakeFederation implements FederationService {
  readonly #peers = new Map<string, TrustedPeerSummary>()

  invite = async ({ hours = 24 }: { hours?: number | undefined }) => ({
    code: `abzu-peer:${hours}`,
    until: time,
  })
  accept = async (code: string, { name = 'friend', quotaBytes = 10e9 }: PairInit) => {
    const [, grantedBytes] = /^abzu-peer:(\d+)$/.exec(code) ?? []
    if (grantedBytes === undefined) throw new AbzuError('ABZU_LINK_INVALID', 'no code of a peer')
    const peerId = fakePeerId
    const granted = { quotaBytes, grantedBytes: Number(grantedBytes) }
    const peer = { peerId, name, ...granted, connected: true, since: time }
    this.#peers.set(name, peer)
    return peer
  }
  list = () => [...this.#peers.values()]
  status = async () =>
    this.list().map(({ peerId, name, connected, quotaBytes }) => ({
      peerId,
      name,
      connected,
      quotaBytes,
      usedBytes: 3,
      behind: 0,
      pulledSecondsAgo: 2,
      verifiedSecondsAgo: null,
      mailboxes: [
        {
          mailbox: 'ab'.repeat(32),
          here: 'home' as const,
          there: 'replica' as const,
          items: 7,
          bytes: 700,
        },
      ],
    }))
  remove = async (name: string) => {
    const peer = this.#peers.get(name)
    if (!peer) throw new AbzuError('ABZU_NOT_FOUND', `no trusted peer ${name}`)
    this.#peers.delete(name)
    return peer
  }
}

/** All of a fake node's services; who may do what is no fake. */
export function fakeServices() {
  const accounts = new FakeAccounts()
  return {
    accounts,
    uploads: new FakeUploads(),
    authority: new Authority({ accountOf: (nameOrId) => accounts.get(nameOrId) }),
    invitations: new FakeInvitations(),
    oversight: new FakeOversight((nameOrId) => accounts.get(nameOrId).id),
    keys: new FakeKeys(accounts),
    node: new FakeNode(),
    federation: new FakeFederation(),
    limits: new FakeLimits((nameOrId) => accounts.get(nameOrId)),
  } satisfies Services
}
