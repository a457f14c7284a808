/**
 * The shapes of the control API. The daemon checks requests and cuts answers by them, the client
 * checks answers, and the OpenAPI document is made of them.
 * @module
 */

import { z } from 'zod'
import { severities } from '../../base/health/finding.ts'
import { utf8 } from '../../base/util/bytes.ts'
import { errorCodes } from '../../base/util/errors.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { invitationHoursMax } from '../../user/household/household-invitations.ts'
import { roles } from '../../user/household/role.ts'

const utf8Text = (bytesMax: number) =>
  z
    .string()
    .min(1)
    .max(bytesMax)
    .refine((text) => utf8(text).length <= bytesMax, `is longer than ${bytesMax} bytes of UTF-8`)

export const name = utf8Text(wireLimits.nameBytesMax)
const time = z.iso.datetime({ offset: true })
const accountId = z.string().regex(/^abzu1[02-9ac-hj-np-z]{10,90}$/)

/** Longest that `POST /v1/messages` waits for a receipt. */
export const sendWaitMsMax = 60_000

/** Longest life of a code for another node: four weeks. */
export const peerCodeHoursMax = 672

export const roleSchema = z.enum(roles)

export const errorSchema = z
  .object({ error: z.object({ code: z.enum(errorCodes), message: z.string() }) })
  .meta({ id: 'Error' })

export const accountSchema = z.object({
  id: accountId,
  name: z.string(),
  role: roleSchema,
  locked: z.boolean(),
  /** The node that is its home now: here it is frozen. */
  movedTo: z.string().optional(),
  /** It lives there so far, and is to live here. */
  isAnnounced: z.boolean().optional(),
  /** It was removed, and is deleted then. */
  leavesAt: time.optional(),
  /** From then on a Child may become an Adult by its own word. */
  growsUpAt: time.optional(),
})

/** `account` is a name or an id. */
export const accountParams = z.strictObject({ account: name })

/** Whether it is gone; where not, how it stands. */
export const departureSchema = z.object({
  deleted: z.boolean(),
  account: accountSchema.optional(),
})

/** At once where `at` is left out. */
export const letGrowUpBody = z.strictObject({ at: time.optional() })

const peerSchema = z.object({
  peerId: z.string(),
  address: z.string(),
  direction: z.enum(['inbound', 'outbound']),
  /** Whether this node calls again by itself when the connection is lost. */
  kept: z.boolean(),
})

/** How others reach the node, by what it knows itself: a port that a router does not forward looks open. */
const reachabilitySchema = z.object({
  addresses: z.array(
    z.object({
      address: z.string(),
      source: z.enum(['announced', 'listening']),
      scope: z.enum(['loopback', 'lan', 'public']),
      transport: z.string(),
    }),
  ),
  /** Whether nodes of the local network find each other by themselves. */
  lan: z.boolean(),
  /** Distinct nodes that are connected, by who dialled. */
  peers: z.object({ inbound: z.int(), outbound: z.int() }),
})

export const statusSchema = z.object({
  peerId: z.string(),
  pid: z.int(),
  addresses: z.array(z.string()),
  accounts: z.array(accountSchema),
  peers: z.array(peerSchema),
  reachability: reachabilitySchema,
  version: z.string(),
})

export const findingsSchema = z.object({
  findings: z.array(
    z.object({
      check: z.string(),
      severity: z.enum(severities),
      found: z.string(),
      means: z.string().optional(),
      remedy: z.string().optional(),
    }),
  ),
})

/** The text format of Prometheus. */
export const metricsSchema = z.string()

export const doneSchema = z.object({ ok: z.literal(true) })

export const addressBody = z.strictObject({
  address: z.string().min(1).max(wireLimits.addressBytesMax),
})

const quotaBytes = z.int().min(0).max(wireLimits.quotaBytesMax)
/** What to call the other node and how much to keep for it; what is left out has a default. */
const pairFields = { name: name.optional(), quotaBytes: quotaBytes.optional() }

export const invitePeerBody = z.strictObject({
  ...pairFields,
  hours: z.int().min(1).max(peerCodeHoursMax).optional(),
})

export const peerCodeSchema = z.object({
  /** For one other node, once. */
  code: z.string(),
  /** It works before that. */
  until: time,
})

export const acceptPeerBody = z.strictObject({ ...pairFields, code: z.string().min(1).max(8192) })

/** `peer` is the name that the owner gave, or a peer id. */
export const peerParams = z.strictObject({ peer: name })

/** `anyway`: also where the node does not take what it lacks. */
export const removePeerBody = z.strictObject({ anyway: z.boolean() })

export const trustedPeerSchema = z.object({
  peerId: z.string(),
  /** What the owner of this node calls it. */
  name: z.string(),
  /** Bytes that this node keeps for it. */
  quotaBytes: z.int(),
  /** Bytes that it keeps for this node, as it said when they were paired. */
  grantedBytes: z.int(),
  connected: z.boolean(),
  since: time,
})

export const trustedPeersSchema = z.object({ peers: z.array(trustedPeerSchema) })

/** What a node is to a mailbox. */
export const hostRole = z.enum(['home', 'replica', 'former'])
const secondsAgo = z.int().nullable()

/** How a node stands with one that it trusts, or with which it shares mailboxes. */
export const peerStatusSchema = z.object({
  peers: z.array(
    z.object({
      peerId: z.string(),
      /** Null where this node does not trust it. */
      name: z.string().nullable(),
      connected: z.boolean(),
      quotaBytes: z.int().nullable(),
      /** Of other people's mailboxes that are kept for it. */
      usedBytes: z.int(),
      /** Items offered to it that are not known to be durable there; null while it does not pull. */
      behind: z.int().nullable(),
      /** Since this node had everything that the other one has. */
      pulledSecondsAgo: secondsAgo,
      /** Since both held the same. */
      verifiedSecondsAgo: secondsAgo,
      mailboxes: z.array(
        z.object({
          mailbox: z.string(),
          here: hostRole,
          there: hostRole,
          items: z.int(),
          bytes: z.int(),
        }),
      ),
    }),
  ),
})

/** Taken in NFC and as UTF-8, so that it is the same bytes from every keyboard. */
export const password = utf8Text(1024)

export const createAccountBody = z.strictObject({ name, role: roleSchema, password })

export const inviteBody = z.strictObject({
  role: roleSchema,
  hours: z.int().min(1).max(invitationHoursMax).optional(),
})

export const joinLinkSchema = z.object({
  /** For one person, once. */
  link: z.string(),
  /** It works before that. */
  expiresAt: time,
})

export const invitationSchema = z.object({
  /** 16 hexadecimal digits. */
  id: z.string(),
  role: roleSchema,
  expiresAt: time,
  /** Id of the account that gave it; of the machine's owner where left out. */
  by: z.string().optional(),
})

export const invitationsSchema = z.object({ invitations: z.array(invitationSchema) })

/** The id of an invitation, or its link. */
export const revokeInvitationBody = z.strictObject({ invitation: z.string().min(1).max(8192) })

export const joinBody = z.strictObject({ link: z.string().min(1).max(8192), name, password })

/** `account` is a name or an id. */
export const unlockBody = z.strictObject({ account: name, password })

/** A session acts as one account, and as no other. */
export const sessionSchema = z.object({
  id: accountId,
  name: z.string(),
  role: roleSchema,
  /** 256 random bits, base64url: the bearer token. It is told once and kept nowhere. */
  token: z.string(),
})

export const newAccountSchema = sessionSchema.extend({
  /** Told once: whoever has them is this person. */
  words: z.array(z.string()),
})

export const recoverAccountBody = z.strictObject({
  name,
  /** An Adult where left out, and the Admin of a node that has none. */
  role: roleSchema.optional(),
  /** 12 or 24, between blanks. */
  words: z.string().min(1).max(1024),
  password,
  /** A node that is asked first, whether or not a record names it. */
  peer: z.string().min(1).max(wireLimits.addressBytesMax).optional(),
})

export const count = z.int().min(0)

export const progressSchema = z.object({
  items: count,
  bytes: count,
  /** As far as it is known. */
  itemsTotal: count,
})

/** How far it is, or its end. */
export const recoveryLineSchema = z.union([
  z.object({ progress: progressSchema }),
  z.object({ recovered: sessionSchema.extend({ items: count, bytes: count }) }),
])

export const linkBody = z.strictObject({
  uses: z.int().min(1).max(1000).optional(),
  days: z.int().min(1).max(365).optional(),
})

export const linkSchema = z.object({ link: z.string() })

export const openLinkSchema = z.object({
  /** 16 hexadecimal digits. */
  id: z.string(),
  /** It works before that. */
  until: time,
  /** Letters that may come through it in all; not counted where left out. */
  uses: z.int().optional(),
})

export const openLinksSchema = z.object({ links: z.array(openLinkSchema) })

/** The id of a link, or the link itself. */
export const shutLinkBody = z.strictObject({ link: z.string().min(1).max(8192) })

/** What becomes of letters from people without a token. */
export const strangersSchema = z.strictObject({ strangers: z.enum(['welcome', 'refused']) })

export const addContactBody = z.strictObject({ link: z.string().min(1).max(8192), as: name })

/** `contact` is the name that the account gave, or an id. */
export const contactParams = z.strictObject({ contact: name })

export const contactSchema = z.object({
  id: accountId,
  name: z.string(),
  /** Whether a person compared the safety number. */
  verified: z.boolean(),
  blocked: z.boolean(),
  /** Wrote through a link and waits to be added. */
  request: z.boolean(),
  /** Since when the contact's keys are other ones than a person has confirmed. */
  keysChangedAt: time.optional(),
  /** Of a Child's contacts: what the household has decided of letters to and from it. */
  supervised: z.boolean().optional(),
  approval: z.enum(['approved', 'pending', 'denied', 'unasked']).optional(),
})

export const contactsSchema = z.object({ contacts: z.array(contactSchema) })

export const safetyNumberSchema = z.object({
  id: accountId,
  name: z.string(),
  /** 60 digits in 12 groups. */
  safetyNumber: z.string(),
  verified: z.boolean(),
})

/** Blanks between the digits do not count. */
export const confirmBody = z.strictObject({ digits: z.string().min(1).max(256) })

export const sendBody = z.strictObject({
  to: name,
  text: utf8Text(wireLimits.textBytesMax),
  waitMs: z.int().min(0).max(sendWaitMsMax).default(0),
})

const state = z.enum(['queued', 'held', 'delivered', 'read', 'expired', 'refused'])

const messageState = z.object({ msgId: z.string(), state })

export const sentSchema = messageState.extend({
  /** With `held`: the node that keeps it, its name where this node knows one, and until when at most. */
  held: z.object({ by: z.string(), name: z.string().optional(), until: time }).optional(),
})

export const messageParams = z.strictObject({ msgId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) })

const stateEntry = z.object({
  state,
  at: time,
  /** The node that said so, and its name where this node knows one. */
  by: z.string(),
  name: z.string().optional(),
  /** With `held`: it is kept until then at most. */
  until: time.optional(),
})

export const messageSchema = messageState.extend({
  /** Oldest first. */
  history: z.array(stateEntry.readonly()).readonly(),
})

export const inboxEntrySchema = z.object({
  msgId: z.string(),
  /** Account id of the sender, proven by a signature. */
  from: z.string(),
  name: z.string(),
  /** By the sender's clock: for display only. */
  sentAt: time,
  text: z.string(),
  /** Whether a person compared the sender's safety number. */
  verified: z.boolean(),
  /** A stranger's first message, not yet accepted. */
  request: z.boolean(),
  /** Since when the sender's keys are other ones than a person has confirmed. */
  keysChangedAt: time.optional(),
})

export const conversationEntrySchema = messageState.extend({
  direction: z.enum(['in', 'out']),
  sentAt: time,
  text: z.string(),
})
