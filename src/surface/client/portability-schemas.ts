/** The shapes of what accounts come and go by. @module */

import { z } from 'zod'
import { count, name, password, progressSchema, roleSchema, sessionSchema } from './schemas.ts'

/** What the file is sealed by: a password, or the public key of an `age` identity. */
export const exportBody = z.union([
  z.strictObject({ password }),
  z.strictObject({ recipient: z.string().min(1).max(4096) }),
])

/** An age file. */
export const bytesSchema = z.string().meta({ format: 'binary' })

export const moveAccountBody = z.strictObject({
  /** A paired node: an address, its name or its peer id. */
  to: z.string().min(1).max(1024),
})

/** How far it is, again and again, and in the end where the account lives. */
export const moveLineSchema = z.union([
  z.object({
    progress: z.object({
      /** Whether the other node comes for what it lacks. */
      isCopying: z.boolean(),
    }),
  }),
  z.object({
    moved: z.object({
      to: z.string(),
      /** What that node is called here. */
      name: z.string().nullable(),
      /** Whether it was seen to have everything; otherwise the rest follows by itself. */
      isComplete: z.boolean(),
    }),
  }),
])

export const uploadSchema = z.object({
  /** 32 hexadecimal digits. */
  upload: z.string(),
})

const uploadId = z.string().regex(/^[0-9a-f]{32}$/)

/** `at`: where in the file the piece begins. */
export const pieceParams = z.strictObject({
  upload: uploadId,
  at: z
    .string()
    .regex(/^\d{1,12}$/)
    .transform(Number),
})

export const uploadedSchema = z.object({ bytes: count })

export const importAccountBody = z.strictObject({
  /** What was brought in. */
  upload: uploadId,
  /** As in the file where left out. */
  name: name.optional(),
  /** An Adult where left out, and the Admin of a node that has none. */
  role: roleSchema.optional(),
  /** The account's on this node; it opens the file as well where nothing else is named. */
  password,
  filePassword: password.optional(),
  /** Of `age`. */
  fileIdentity: z.string().min(1).max(4096).optional(),
})

/** How far it is, again and again, and in the end the account. */
export const importLineSchema = z.union([
  z.object({ progress: progressSchema }),
  z.object({
    imported: sessionSchema.extend({
      items: count,
      bytes: count,
      /** Whether another host was asked for what has changed since the file was made. */
      isUpToDate: z.boolean(),
    }),
  }),
])
