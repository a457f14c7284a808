/** The routes by which an account chooses who holds its mailbox. @module */

import { z } from 'zod'
import { hostRole } from './schemas.ts'

/** More than an account may choose, so that it is told why. */
const listedMax = 16

const holdersSchema = z.object({
  /** Whether the owner has chosen; otherwise all that agreed hold it. */
  chosen: z.boolean(),
  /** By the newest record: who keeps copies, and who did. */
  holders: z.array(z.object({ peerId: z.string(), role: hostRole })),
})

/** Part of the table in routes.ts. */
export const holderRoutes = {
  holders: {
    method: 'GET',
    path: '/v1/holders',
    caller: 'member',
    operation: 'holders.look',
    on: 'self',
    summary: "Which nodes hold the account's mailbox besides its home",
    answer: holdersSchema,
  },
  chooseHolders: {
    method: 'POST',
    path: '/v1/holders',
    caller: 'member',
    operation: 'holders.change',
    on: 'self',
    summary: 'Choose which of the paired nodes hold the mailbox; null for all that agree',
    body: z.strictObject({ holders: z.array(z.string().min(1).max(64)).max(listedMax).nullable() }),
    answer: holdersSchema,
  },
} as const
