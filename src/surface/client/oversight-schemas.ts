/** The shapes of what Admins and Adults decide for a Child. @module */

import { z } from 'zod'
import { wireLimits } from '../../base/wire/limits.ts'

const text = (charactersMax: number) => z.string().min(1).max(charactersMax)
const time = z.iso.datetime({ offset: true })

/** `account` is the name or id of the Child. */
export const childParams = z.strictObject({ account: text(wireLimits.nameBytesMax) })

export const watchedContactSchema = z.object({
  /** 16 hexadecimal digits. */
  id: z.string(),
  state: z.enum(['pending', 'approved', 'denied']),
  /** Who is meant, and what the Child calls it: told to those who may decide. */
  address: z.string().optional(),
  name: z.string().optional(),
  /** Asked or decided. */
  at: time,
  /** Account id of who decided. */
  by: z.string().optional(),
})

export const childSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** When it may write, as in `07:00-20:00`; always where left out. */
  hours: z.string().optional(),
  /** IANA time zone of the hours. */
  zone: z.string(),
  /** Whether it is outside its hours now. */
  quiet: z.boolean(),
  frozen: z.object({ since: time, by: z.string() }).optional(),
  contacts: z.array(watchedContactSchema.readonly()).readonly(),
})

export const childrenSchema = z.object({ children: z.array(childSchema) })

/** `contact` is an address, what the Child calls it, or its id in the list. */
export const decideContactBody = z.strictObject({
  contact: text(wireLimits.nameBytesMax),
  state: z.enum(['approved', 'denied']),
})

/** What is left out stays as it is; `hours` are null where the Child may always write. */
export const childRulesBody = z
  .strictObject({ hours: text(16).nullable().optional(), frozen: z.boolean().optional() })
  .refine((rules) => Object.keys(rules).length > 0, 'says nothing')

/** A range of time, and why: the Child reads both. */
export const inspectBody = z.strictObject({
  since: time,
  /** Now where left out. */
  until: time.optional(),
  reason: text(wireLimits.reasonBytesMax),
})

const auditEntrySchema = z.object({
  /** From 1. */
  number: z.int(),
  kind: z.enum(['inspected', 'refused']),
  /** Account id and name of who asked. */
  by: z.string(),
  byName: z.string(),
  at: time,
  /** The range that was asked for. */
  from: time,
  until: time,
  reason: z.string(),
})

export const auditSchema = z.object({
  /** Oldest first. */
  entries: z.array(auditEntrySchema),
  /** Entries before these that are lost. */
  missing: z.int(),
})

export const inspectionSchema = z.object({
  entry: auditEntrySchema,
  /** Oldest first. */
  messages: z
    .array(
      z.object({
        direction: z.enum(['in', 'out']),
        /** Account id of the other side, and what the Child calls it. */
        with: z.string(),
        name: z.string().optional(),
        at: time,
        text: z.string(),
      }),
    )
    .readonly(),
  /** There are more in this range. */
  more: z.boolean(),
})
