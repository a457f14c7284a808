/** A good call of every route of the control API, and what it answers. @module */

import { routes, type RouteName } from '../../src/surface/client/routes.ts'
import type { Role } from '../../src/user/household/role.ts'
import type { Asked, TestApi } from './api.ts'
import { fakeId, fakePeerId } from './fake-services.ts'

/** Id of somebody who is not of this node. */
export const stranger = fakeId(31)
const link = `abzu:${stranger}#secret`
const openLink = { id: '0123456789abcdef', until: '2026-12-05T12:00:00.000Z', uses: 5 }

export interface Case {
  readonly path?: string
  /** Role of `anna` for it; Admin where left out. */
  readonly as?: Role
  /** Role of `berta`, whom the path names. */
  readonly target?: Role
  readonly body?: unknown
  /** Bytes, in the place of `body`. */
  readonly octets?: string
  /** What the answer matches. */
  readonly answers: unknown
  /** Bodies that are refused, besides those that every body is tried with. */
  readonly refuses?: readonly unknown[]
}

/** What each route answers to a good call by `anna`, who has a contact `friend` and some mail. */
export const cases: Readonly<Record<RouteName, Case>> = {
  status: {
    answers: { peerId: /^12D3Koo/, pid: Number, addresses: [String], accounts: [{ name: 'anna' }] },
  },
  metrics: {
    answers:
      /^# HELP abzu_answers_total Of a fake\n# TYPE abzu_answers_total counter\nabzu_answers_total{outcome="good"} 3\nabzu_answers_total{outcome="bad"} 0.5\n[^]*\nabzu_letters 42\n[^]*\nlibp2p_fake 1\n$/,
  },
  doctor: { answers: { findings: [{ check: 'fake', severity: 'ok', found: String }] } },
  verifyStore: { answers: { findings: [{ check: 'store-verified', severity: 'ok' }] } },
  confirmTime: { answers: { ok: true } },
  stop: { answers: { ok: true } },
  addPeer: {
    body: { address: '/ip4/127.0.0.1/tcp/1' },
    answers: { ok: true },
    refuses: [{ address: '' }, { address: 'x'.repeat(257) }, { address: 1 }],
  },
  peerStatus: { answers: { peers: [{ name: 'friend', behind: 0, mailboxes: [{ items: 7 }] }] } },
  trustedPeers: { answers: { peers: [{ name: 'friend', quotaBytes: 7, connected: true }] } },
  invitePeer: {
    body: { name: 'their box', quotaBytes: 5, hours: 1 },
    answers: { code: 'abzu-peer:1', until: String },
    refuses: [
      { hours: 0 },
      { hours: 673 },
      { hours: 1.5 },
      { quotaBytes: -1 },
      { quotaBytes: 2 ** 50 + 1 },
      { name: '' },
      { name: 'x'.repeat(129) },
      { account: 'berta' },
    ],
  },
  acceptPeer: {
    body: { code: 'abzu-peer:3', name: 'another' },
    answers: { peerId: /^12D3Koo/, name: 'another', quotaBytes: 10e9, grantedBytes: 3 },
    refuses: [
      { code: '' },
      { code: 'x'.repeat(8193) },
      { name: 'friend' },
      { code: 'abzu-peer:3', quotaBytes: '5GB' },
      { code: 'abzu-peer:3', hours: 1 },
    ],
  },
  removePeer: {
    path: '/v1/peers/friend/remove',
    body: { anyway: true },
    answers: { name: 'friend', quotaBytes: 7 },
    refuses: [{ anyway: 1 }, { more: true }],
  },
  limits: {
    answers: {
      people: [{ name: 'anna', limits: { mailBytes: 500 }, use: { mailBytes: 5 }, set: [] }],
      peopleCount: 2,
      roles: [{ role: 'child', limits: { sending: { perSecond: 5, burst: 50 } } }],
      node: { limits: { householdBytes: 5000 }, use: { householdBytes: 12 }, set: [] },
      peers: [{ name: 'ben', quotaBytes: 100, usedBytes: 3 }],
    },
  },
  ownLimits: { answers: { name: 'anna', use: { outboxItems: 3 } } },
  changeLimits: {
    body: { account: 'berta', limits: { mailBytes: 700, sending: { perSecond: 0.5, burst: 9 } } },
    answers: { name: 'berta', limits: { mailBytes: 700, sending: { perSecond: 0.5, burst: 9 } } },
    refuses: [
      { account: 'berta' },
      { limits: { mailBytes: 700 } },
      { account: 'berta', role: 'child', limits: { mailBytes: 700 } },
      { account: 'berta', limits: { mailBytes: -1 } },
      { account: 'berta', limits: { mailBytes: 1.5 } },
      { account: 'berta', limits: { mailBytes: '5GB' } },
      { account: 'berta', limits: { mailBytes: 2 ** 53 } },
      { account: 'berta', limits: { sending: 7 } },
      { account: 'berta', limits: { sending: { perSecond: 1 } } },
      { account: 'berta', limits: { sending: { perSecond: -1, burst: 1 } } },
      { account: 'berta', limits: { householdBytes: 7 } },
      { role: 'king', limits: { mailBytes: 700 } },
      { node: false, limits: { householdBytes: 7 } },
      { node: true, limits: { mailBytes: 700 } },
      { peer: 'ben', limits: {} },
      { peer: 'ben', limits: { quotaBytes: null } },
      { peer: 'ben', limits: { quotaBytes: 2 ** 50 + 1 } },
    ],
  },
  createAccount: {
    body: { name: 'carla', role: 'admin', password: 'pw' },
    answers: { id: /^abzu1/, name: 'carla', role: 'admin', token: /^[\w-]{43}$/, words: Array },
    refuses: [
      { name: '', role: 'admin', password: 'pw' },
      { name: 'ä'.repeat(65), role: 'admin', password: 'pw' },
      { name: 'carla', role: 'king', password: 'pw' },
      { name: 'carla', role: 'admin', password: '' },
      { name: 'carla', role: 'admin', password: 'x'.repeat(1025) },
      { name: 'carla', role: 'admin', password: 'pw', account: 'berta' },
    ],
  },
  recoverAccount: {
    body: { name: 'carla', words: `${'abandon '.repeat(11)}about`, password: 'pw' },
    answers: {
      recovered: {
        id: /^abzu1/,
        name: 'carla',
        role: 'admin',
        token: /^[\w-]{43}$/,
        items: 7,
        bytes: 4321,
      },
    },
    refuses: [
      { name: 'carla', words: '', password: 'pw' },
      { name: 'carla', words: 'x'.repeat(1025), password: 'pw' },
      { name: 'carla', words: ['abandon'], password: 'pw' },
      { name: 'carla', words: 'x', password: 'pw', peer: 'x'.repeat(257) },
      { name: 'carla', words: 'x', password: 'pw', role: 'king' },
      { name: '', words: 'x', password: 'pw' },
      { name: 'carla', words: 'x', password: '' },
    ],
  },
  deleteAccount: {
    path: '/v1/accounts/berta/delete',
    target: 'adult',
    answers: { deleted: false, account: { name: 'berta', leavesAt: String } },
  },
  keepAccount: {
    path: '/v1/accounts/berta/keep',
    target: 'adult',
    answers: { name: 'berta', role: 'adult' },
  },
  makeAdmin: {
    path: '/v1/accounts/berta/make-admin',
    target: 'adult',
    answers: { name: 'berta', role: 'admin' },
  },
  unmakeAdmin: {
    path: '/v1/accounts/berta/unmake-admin',
    answers: { name: 'berta', role: 'adult' },
  },
  letGrowUp: {
    path: '/v1/accounts/berta/let-grow-up',
    target: 'child',
    body: { at: '2027-03-01T00:00:00.000Z' },
    answers: { name: 'berta', growsUpAt: '2027-03-01T00:00:00.000Z' },
    refuses: [{ at: 'tomorrow' }, { at: 7 }, { at: '2027-03-01T00:00:00.000Z', role: 'admin' }],
  },
  growUp: { as: 'child', answers: { name: 'anna', role: 'adult' } },
  exportAccount: {
    body: { password: 'pw' },
    answers: 'sealed',
    refuses: [
      { password: '' },
      { password: 'x'.repeat(1025) },
      { recipient: '' },
      { recipient: 'x'.repeat(4097) },
      { password: 'pw', recipient: 'age1' },
      { password: 'pw', account: 'berta' },
      { password: 'pw', workFactor: 1 },
    ],
  },
  moveAccount: {
    body: { to: 'friend' },
    answers: { moved: { to: 'friend', name: null, isComplete: true } },
    refuses: [{}, { to: '' }, { to: 'x'.repeat(1025) }, { to: 'friend', account: 'berta' }],
  },
  beginUpload: { answers: { upload: /^[0-9a-f]{32}$/ } },
  upload: {
    path: `/v1/uploads/${'0'.repeat(32)}/0`,
    octets: 'a piece',
    answers: { bytes: 7 },
  },
  importAccount: {
    body: { upload: '0'.repeat(32), password: 'pw' },
    answers: {
      imported: {
        id: /^abzu1/,
        name: 'carla',
        role: 'adult',
        token: /^[\w-]{43}$/,
        items: 7,
        bytes: 4321,
        isUpToDate: true,
      },
    },
    refuses: [
      { upload: '../../../../etc/passwd', password: 'pw' },
      { upload: '0'.repeat(31), password: 'pw' },
      { upload: 'A'.repeat(32), password: 'pw' },
      { upload: '0'.repeat(32) },
      { upload: '0'.repeat(32), password: '' },
      { upload: '0'.repeat(32), password: 'pw', role: 'king' },
      { upload: '0'.repeat(32), password: 'pw', name: '' },
      { upload: '0'.repeat(32), password: 'pw', filePassword: '' },
      { upload: '0'.repeat(32), password: 'pw', fileIdentity: 'x'.repeat(4097) },
      { upload: '0'.repeat(32), password: 'pw', path: '/etc/passwd' },
    ],
  },
  invite: {
    body: { role: 'child', hours: 1 },
    answers: { link: /^abzu-join:/, expiresAt: String },
    refuses: [
      { role: 'king' },
      { role: 'child', hours: 0 },
      { role: 'child', hours: 673 },
      { role: 'child', hours: 1.5 },
      { role: 'child', by: 'berta' },
    ],
  },
  invitations: { answers: { invitations: [{ id: '0'.repeat(16), role: 'guest' }] } },
  revokeInvitation: {
    body: { invitation: '0'.repeat(16) },
    answers: { id: '0'.repeat(16), role: 'guest', expiresAt: String },
    refuses: [{ invitation: '' }, { invitation: 'x'.repeat(8193) }, { invitation: 7 }],
  },
  join: {
    body: { link: 'abzu-join:x', name: 'carla', password: 'pw' },
    answers: { id: /^abzu1/, name: 'carla', role: 'child', token: /^[\w-]{43}$/, words: Array },
    refuses: [
      { link: 'abzu-join:x', name: 'carla' },
      { link: '', name: 'carla', password: 'pw' },
      { link: 'x'.repeat(8193), name: 'carla', password: 'pw' },
      { link: 'abzu-join:x', name: 'carla', password: 'pw', role: 'admin' },
    ],
  },
  unlock: {
    body: { account: 'anna', password: 'password of anna' },
    answers: { id: fakeId(0), name: 'anna', role: 'admin', token: /^[\w-]{43}$/ },
    refuses: [{ account: 'anna' }, { account: ['anna'], password: 'pw' }],
  },
  lock: { answers: { ok: true } },
  changePassword: {
    body: { password: 'password of anna', newPassword: 'another one' },
    answers: { id: fakeId(0), name: 'anna', token: /^[\w-]{43}$/ },
    refuses: [
      { password: 'password of anna' },
      { newPassword: 'another one' },
      { password: 'password of anna', newPassword: '' },
      { account: 'berta', password: 'password of anna', newPassword: 'another one' },
    ],
  },
  rotateKeys: {
    body: { account: 'anna', password: 'password of anna', words: 'some words' },
    answers: { id: fakeId(0), name: 'anna', token: /^[\w-]{43}$/ },
    refuses: [
      { account: 'anna', words: 'some words' },
      { account: 'anna', password: 'pw', words: ['some', 'words'] },
      { account: 'anna', password: 'pw', revoke: [] },
      { account: 'anna', password: 'pw', revoke: ['0123456789ABCDEF'] },
      { account: 'anna', password: 'pw', revoke: Array(17).fill('0123456789abcdef') },
    ],
  },
  shareWords: {
    body: { words: `${'abandon '.repeat(11)}about`, need: 2, to: ['friend', 'friend'] },
    answers: { need: 2, shares: [{ name: 'friend', msgId: String, state: 'delivered' }, {}] },
    refuses: [
      { words: 'w', need: 2, to: ['friend'] },
      { words: 'w', need: 1, to: ['friend', 'b'] },
      { words: 'w', need: 17, to: ['friend', 'b'] },
      { words: 'w', need: 2, to: Array(17).fill('b') },
      { need: 2, to: ['friend', 'b'] },
    ],
  },
  shares: { answers: { shares: [{ name: 'friend', need: 2, of: 3, number: 1 }] } },
  showShare: {
    path: '/v1/shares/friend',
    answers: { shares: [{ name: 'friend', text: 'abzushare1' }] },
  },
  devices: { answers: { devices: [{ id: '0123456789abcdef', here: true }] } },
  createLink: {
    body: { uses: 1, days: 2 },
    answers: { link: `abzu:${fakeId(0)}#1-2` },
    refuses: [{ uses: 0 }, { uses: 1.5 }, { days: 366 }, { days: '2' }, { account: 'berta' }],
  },
  links: { answers: { links: [{ id: openLink.id, until: openLink.until, uses: 5 }] } },
  shutLink: {
    body: { link: openLink.id },
    answers: { id: openLink.id, uses: 5 },
    refuses: [{ link: '' }, { link: 'x'.repeat(8193) }, { link: openLink.id, account: 'berta' }],
  },
  strangers: { answers: { strangers: 'welcome' } },
  letStrangersBe: {
    body: { strangers: 'refused' },
    answers: { strangers: 'refused' },
    refuses: [{ strangers: 'maybe' }, { strangers: true }, { strangers: 'welcome', bits: 1 }],
  },
  holders: { answers: { chosen: false, holders: [{ peerId: fakePeerId, role: 'replica' }] } },
  chooseHolders: {
    body: { holders: [fakePeerId] },
    answers: { chosen: true, holders: [{ peerId: fakePeerId, role: 'replica' }] },
    refuses: [
      { holders: fakePeerId },
      { holders: [''] },
      { holders: Array.from({ length: 17 }, () => fakePeerId) },
      { holders: null, account: 'berta' },
      {},
    ],
  },
  contacts: { answers: { contacts: [{ id: stranger, name: 'friend', verified: false }] } },
  addContact: {
    body: { link, as: 'another' },
    answers: { id: stranger, name: 'another', verified: false, blocked: false },
    refuses: [{ link }, { link: 'x'.repeat(8193), as: 'x' }, { link, as: 'x'.repeat(129) }],
  },
  safetyNumber: {
    path: '/v1/contacts/friend/safety-number',
    answers: { id: stranger, name: 'friend', safetyNumber: /^(\d{5} ){11}\d{5}$/ },
  },
  confirmContact: {
    path: '/v1/contacts/friend/confirm',
    body: { digits: '12345 '.repeat(12) },
    answers: { id: stranger, verified: true },
    refuses: [{ digits: '' }, { digits: '1'.repeat(257) }, { digits: '54321' }],
  },
  blockContact: {
    path: `/v1/contacts/${stranger}/block`,
    answers: { id: stranger, blocked: true },
  },
  conversation: {
    path: '/v1/contacts/friend/messages',
    answers: { msgId: String, state: 'delivered', direction: 'in', text: 'hello' },
  },
  send: {
    body: { to: 'friend', text: 'hello', waitMs: 10 },
    answers: { msgId: String, state: 'delivered' },
    refuses: [
      { to: 'friend', text: '' },
      { to: 'friend', text: 'ä'.repeat(32 * 1024 + 1) },
      { to: 'friend', text: 'x', waitMs: 60_001 },
      { to: 'friend', text: 'x', waitMs: -1 },
      { to: 'friend', text: 'x', from: 'berta' },
      { to: { name: 'friend' }, text: 'x' },
    ],
  },
  message: {
    path: `/v1/messages/${'1'.padStart(32, '0')}`,
    answers: {
      msgId: String,
      state: 'queued',
      history: [{ state: 'queued', at: String, by: String }],
    },
  },
  inbox: {
    answers: { msgId: String, from: stranger, name: 'friend', text: 'hello', verified: false },
  },
  children: { answers: { children: [{ name: 'berta', zone: 'UTC', quiet: false }] } },
  child: {
    target: 'child',
    path: '/v1/oversight/berta',
    answers: { id: /^abzu1/, name: 'berta', contacts: [{ state: 'pending', name: 'ben' }] },
  },
  decideContact: {
    target: 'child',
    path: '/v1/oversight/berta/contacts',
    body: { contact: 'ben', state: 'approved' },
    answers: { name: 'ben', state: 'approved', by: fakeId(0) },
    refuses: [
      { contact: 'ben' },
      { contact: '', state: 'approved' },
      { contact: 'x'.repeat(129), state: 'approved' },
      { contact: 'ben', state: 'pending' },
      { contact: 'ben', state: 'approved', by: 'berta' },
    ],
  },
  ruleChild: {
    target: 'child',
    path: '/v1/oversight/berta/rules',
    body: { hours: '07:00-20:00', frozen: true },
    answers: { name: 'berta', hours: '07:00-20:00', frozen: { since: String, by: fakeId(0) } },
    refuses: [{ hours: 7 }, { hours: '' }, { frozen: 'yes' }, { by: 'berta' }],
  },
  inspectChild: {
    path: '/v1/oversight/berta/inspect',
    target: 'child',
    body: { since: '2026-11-05T12:00:00Z', until: '2026-11-06T12:00:00Z', reason: 'a call' },
    answers: { entry: { kind: 'inspected', reason: 'a call' }, messages: [{ text: 'hello' }] },
    refuses: [
      { since: '2026-11-05T12:00:00Z' },
      { since: 'yesterday', reason: 'x' },
      { since: '2026-11-05T12:00:00Z', reason: '' },
      { since: '2026-11-05T12:00:00Z', reason: 'x'.repeat(513) },
      { since: '2026-11-05T12:00:00Z', reason: 'x', by: 'berta' },
    ],
  },
  audit: { answers: { entries: [], missing: 0 } },
}

const keptShare = {
  id: stranger,
  name: 'friend',
  need: 2,
  of: 3,
  number: 1,
  receivedAt: '2026-11-05T12:00:00.000Z',
  text: 'abzushare1',
}

/** Gives `anna` a contact `friend`, mail and a link, and the node a peer and an invitation. */
export async function prepare(api: TestApi): Promise<void> {
  await api.anna.member.contacts.add({ link, as: 'friend' })
  await api.anna.member.messages.send({ to: 'friend', text: 'earlier' })
  await api.services.federation.accept('abzu-peer:3', { quotaBytes: 7 })
  await api.services.invitations.give({ role: 'guest' })
  api.services.accounts.become('berta', 'child')
  await api.services.uploads.begin()
  api.anna.member.receive({})
  api.anna.member.keptShares.push(keptShare)
  api.anna.member.openLinks.set(openLink.id, openLink)
}

/** The good call of a route, without a session. */
export function callOf(name: RouteName): Asked {
  const { method, path } = routes[name]
  const { path: filled = path, body, octets } = cases[name]
  const headers = { 'content-type': 'application/octet-stream' }
  return {
    method,
    url: filled,
    ...(body !== undefined && { body }),
    ...(octets !== undefined && { raw: octets, headers }),
  }
}
