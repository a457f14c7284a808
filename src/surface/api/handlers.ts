/** What each route of the table does, as plain functions of a checked call. @module */

import type { Clock, Scheduler } from '../../base/util/clock.ts'
import type { Log } from '../../base/util/log.ts'
import type { Answer } from '../client/routes.ts'
import type { Handlers } from './calls.ts'
import { keyHandlers, withPassword } from './key-handlers.ts'
import { shareHandlers } from './share-handlers.ts'
import { metricsText } from './metrics-text.ts'
import { moveLines } from './move-lines.ts'
import { oversightHandlers } from './oversight-handlers.ts'
import { recoveryLines } from './recovery-lines.ts'
import type { Holders, MemberService, Services } from './services.ts'
import type { Sessions } from './sessions.ts'
import { importLines } from './import-lines.ts'

export interface HandlerDeps extends Services {
  readonly sessions: Pick<Sessions, 'open' | 'endAll'>
  readonly clock: Pick<Clock, 'nowMs'>
  readonly scheduler: Scheduler
  readonly log: Log
}

const done = { ok: true } as const

/** Every route's handler: a missing one does not compile. */
export function createHandlers({
  accounts,
  invitations,
  oversight,
  keys,
  node,
  federation,
  limits,
  sessions,
  clock,
  uploads,
  scheduler,
  log,
}: HandlerDeps): Handlers {
  const openSession = (member: MemberService) => {
    const { id, name, role } = member
    return { id, name, role, token: sessions.open(member) }
  }
  const named = <T extends { readonly by: string }>(told: T) => {
    const name = node.nameOf(told.by)
    return { ...told, ...(name !== undefined && { name }) }
  }
  return {
    status: async () => ({
      peerId: node.peerId,
      pid: node.pid,
      addresses: [...node.addresses()],
      accounts: [...(await accounts.list())],
      peers: [...node.peers()],
      reachability: node.reachability(),
      version: node.version,
    }),
    metrics: async () => {
      const { own, foreign } = await node.metrics()
      return (await metricsText(own)) + foreign
    },
    doctor: async () => ({ findings: [...(await node.findings())] }),
    verifyStore: async () => ({ findings: [...(await node.verifyStore())] }),
    confirmTime: async () => {
      await node.confirmTime()
      return done
    },
    stop: async () => {
      node.stop()
      return done
    },
    addPeer: async ({ body }) => {
      await node.addPeer(body.address)
      return done
    },

    trustedPeers: async () => ({ peers: [...federation.list()] }),
    peerStatus: async () => ({ peers: [...(await federation.status())] }),
    invitePeer: ({ body }) => federation.invite(body),
    acceptPeer: ({ body: { code, ...init }, signal }) => federation.accept(code, init, signal),
    removePeer: ({ params, body }) => federation.remove(params.peer, body),

    limits: () => limits.look(),
    ownLimits: async ({ member }) => limits.person(member.id),
    changeLimits: ({ body }) => {
      if ('account' in body) return limits.setPerson(body.account, body.limits)
      if ('role' in body) return limits.setRole(body.role, body.limits)
      if ('peer' in body) return limits.setPeer(body.peer, body.limits.quotaBytes)
      return limits.setNode(body.limits)
    },

    createAccount: async ({ body: { name, role, password } }) => {
      const { member, words } = await withPassword(password, (bytes) =>
        accounts.create({ name, role, password: bytes }),
      )
      return { ...openSession(member), words: [...words] }
    },
    deleteAccount: async ({ member, params }) => {
      const account = await accounts.remove(params.account, member.id)
      return { deleted: account === undefined, ...(account && { account }) }
    },
    keepAccount: ({ params }) => accounts.keep(params.account),
    makeAdmin: ({ params }) => accounts.makeAdmin(params.account),
    unmakeAdmin: ({ params }) => accounts.unmakeAdmin(params.account),
    letGrowUp: ({ params, body: { at } }) =>
      accounts.letGrowUp(params.account, at === undefined ? clock.nowMs() : Date.parse(at)),
    growUp: ({ member }) => accounts.growUp(member.id),
    invite: ({ member, body }) => invitations.give({ ...body, by: member?.id }),
    invitations: async () => ({ invitations: [...(await invitations.list())] }),
    revokeInvitation: ({ body }) => invitations.revoke(body.invitation),
    join: async ({ body: { link, name, password } }) => {
      const { member, words } = await withPassword(password, (bytes) =>
        accounts.join({ link, name, password: bytes }),
      )
      return { ...openSession(member), words: [...words] }
    },
    recoverAccount: ({ signal, body: { words, password, ...body } }) =>
      recoveryLines(
        { scheduler },
        {
          signal,
          recover: async (progress) => {
            const member = await withPassword(password, (bytes) =>
              accounts.recover({ ...body, words: [words], password: bytes, progress, signal }),
            )
            return openSession(member)
          },
        },
      ),
    ...keyHandlers({ keys, sessions, openSession }),
    ...shareHandlers({ log }),
    exportAccount: ({ member, body }) => accounts.exported(member.id, body),
    moveAccount: ({ member, body, signal }) => {
      const endSessions = (id: string) => sessions.endAll(id)
      return moveLines({ accounts, node, scheduler, endSessions }, { member, body, signal })
    },
    beginUpload: async () => ({ upload: await uploads.begin() }),
    upload: async ({ params: { upload, at }, body: piece }) => ({
      bytes: await uploads.append(upload, { at, piece }),
    }),
    importAccount: ({ signal, body }) =>
      importLines({ accounts, uploads, scheduler, openSession, withPassword }, { body, signal }),
    unlock: async ({ body: { account, password } }) =>
      openSession(await withPassword(password, (bytes) => accounts.unlock(account, bytes))),
    lock: async ({ member }) => {
      sessions.endAll(member.id)
      await accounts.lock(member.id)
      return done
    },

    createLink: async ({ member, body: { uses, days } }) => ({
      link: await member.contacts.link({
        ...(uses !== undefined && { uses }),
        ...(days !== undefined && { days }),
      }),
    }),
    links: async ({ member }) => ({ links: [...(await member.links.list())] }),
    shutLink: ({ member, body }) => member.links.shut(body.link),
    strangers: async ({ member }) => ({ strangers: await member.contacts.strangers() }),
    letStrangersBe: async ({ member, body }) => {
      await member.contacts.letStrangersBe(body.strangers)
      return body
    },
    holders: async ({ member }) => heldBy(await member.holders.look()),
    chooseHolders: async ({ member, body }) =>
      heldBy(await member.holders.choose(body.holders ?? undefined)),
    contacts: async ({ member }) => ({ contacts: [...(await member.contacts.list())] }),
    addContact: ({ member, body }) => member.contacts.add(body),
    safetyNumber: async ({ member, params: { contact } }) => {
      const { id, name, verified } = await member.contacts.get(contact)
      return { id, name, verified, safetyNumber: await member.contacts.safetyNumber(contact) }
    },
    confirmContact: ({ member, params, body }) =>
      member.contacts.confirm(params.contact, body.digits),
    blockContact: ({ member, params }) => member.contacts.block(params.contact),
    conversation: ({ member, params }) => member.messages.conversation(params.contact),

    send: async ({ member, signal, body: { to, text, waitMs } }) => {
      const sent = await member.messages.send({ to, text })
      if (waitMs === 0) return sent
      try {
        const wait = { timeoutMs: waitMs, signal }
        const { held, ...told } = await member.messages.settled(sent.msgId, wait)
        return { ...told, ...(held && { held: named(held) }) }
      } catch (error) {
        // the message is on its way: a wait that fails must not look like a failure to send
        log.debug('send-wait-ended', { error: error as Error })
        return sent
      }
    },
    message: async ({ member, params }) => {
      const report = await member.messages.show(params.msgId)
      return { ...report, history: report.history.map(named) }
    },
    inbox: ({ member }) => member.messages.inbox(),

    ...oversightHandlers({ oversight, clock }),
  }
}

function heldBy({ chosen, holders }: Holders): Answer<'holders'> {
  return { chosen, holders: [...holders] }
}
