/** The shapes of limits in the control API. @module */

import { z } from 'zod'
import { wireLimits } from '../../base/wire/limits.ts'
import { roles } from '../../user/household/role.ts'

const rate = z.object({
  /** For as long as one likes. */
  perSecond: z.number(),
  /** What may come at once after a pause. */
  burst: z.number(),
})
const amount = z.number()

const personFields = {
  sending: rate,
  receiving: rate,
  calls: rate,
  outboxItems: amount,
  mailItems: amount,
  mailBytes: amount,
  vaultItems: amount,
  vaultBytes: amount,
}
const nodeFields = {
  sending: rate,
  receiving: rate,
  calls: rate,
  peerSending: rate,
  peerReceiving: rate,
  householdBytes: amount,
}

/** Names of limits that somebody has set. */
const set = z.array(z.string()).readonly()

/** What a person may have and do, and has and does now; of a rate, what is taken of its burst. */
export const personLimitsSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(roles),
  limits: z.object(personFields),
  /** For this person alone. */
  set,
  use: z.object({ ...personFields, sending: amount, receiving: amount, calls: amount }),
})

const roleLimitsSchema = z.object({ role: z.enum(roles), limits: z.object(personFields), set })

const nodeLimitsSchema = z.object({
  limits: z.object(nodeFields),
  set,
  use: z.object({ sending: amount, receiving: amount, calls: amount, householdBytes: amount }),
})

const peerLimitsSchema = z.object({
  peerId: z.string(),
  name: z.string(),
  /** What is kept for it at most, and now. */
  quotaBytes: z.int(),
  usedBytes: amount,
})

export const limitsSchema = z.object({
  /** By name, the first thousand. */
  people: z.array(personLimitsSchema),
  peopleCount: z.int(),
  roles: z.array(roleLimitsSchema),
  node: nodeLimitsSchema,
  peers: z.array(peerLimitsSchema),
})

const newRate = z.strictObject({ perSecond: z.number().min(0), burst: z.number().min(0) })
const newAmount = z.int().min(0)
/** What is left out stays as it is; null is what holds where nobody says anything. */
const newOf = <T extends Readonly<Record<string, z.ZodType>>>(fields: T) =>
  z.strictObject(fields).partial()

const newPersonLimits = newOf({
  sending: newRate.nullable(),
  receiving: newRate.nullable(),
  calls: newRate.nullable(),
  outboxItems: newAmount.nullable(),
  mailItems: newAmount.nullable(),
  mailBytes: newAmount.nullable(),
  vaultItems: newAmount.nullable(),
  vaultBytes: newAmount.nullable(),
})

const newNodeLimits = newOf({
  sending: newRate.nullable(),
  receiving: newRate.nullable(),
  calls: newRate.nullable(),
  peerSending: newRate.nullable(),
  peerReceiving: newRate.nullable(),
  householdBytes: newAmount.nullable(),
})

const nameOrId = z.string().min(1).max(wireLimits.nameBytesMax)

/** Of one person, of everybody of a role for whom nothing else is set, of the node, or of a node that it is paired with. */
export const changeLimitsBody = z.union([
  z.strictObject({ account: nameOrId, limits: newPersonLimits }),
  z.strictObject({ role: z.enum(roles), limits: newPersonLimits }),
  z.strictObject({ node: z.literal(true), limits: newNodeLimits }),
  z.strictObject({
    peer: nameOrId,
    limits: z.strictObject({ quotaBytes: z.int().min(0).max(wireLimits.quotaBytesMax) }),
  }),
])

/** What holds now, of what was changed. */
export const changedLimitsSchema = z.union([
  personLimitsSchema,
  roleLimitsSchema,
  nodeLimitsSchema,
  peerLimitsSchema,
])
