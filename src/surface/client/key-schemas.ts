/** What the routes about passwords, keys and words say and answer. @module */

import { z } from 'zod'
import { recoverAccountBody, sentSchema, unlockBody } from './schemas.ts'

const { account, password } = unlockBody.shape
const { words } = recoverAccountBody.shape
/** 16 hexadecimal digits. */
const deviceId = z.string().regex(/^[0-9a-f]{16}$/)

export const changePasswordBody = z.strictObject({ password, newPassword: password })

/** `account` is a name or an id. */
export const rotateKeysBody = z.strictObject({
  account,
  /** Without them the device stays, and the vault's key and the prekey alone are made anew. */
  words: words.optional(),
  /** From now on, where another device is made; otherwise the one that it has. */
  password,
  /** Devices to revoke; the one that lives here stays then. Needs the words. */
  revoke: z.array(deviceId).min(1).max(16).optional(),
})

export const devicesSchema = z.object({
  devices: z.array(
    z.object({
      id: deviceId,
      /** It is the one that lives at this node. */
      here: z.boolean(),
      /** Number of the identity document with which it was certified. */
      docSeq: z.int().min(0),
    }),
  ),
})

const time = z.iso.datetime({ offset: true })
const count = z.int().min(1).max(16)

export const shareWordsBody = z.strictObject({
  words,
  /** How many of them it takes. */
  need: z.int().min(2).max(16),
  /** Names or ids of contacts: one share each. */
  to: z.array(account).min(2).max(16),
})

export const sentSharesSchema = z.object({
  need: count,
  shares: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      /** By which its letter is known. */
      msgId: z.string(),
      state: sentSchema.shape.state,
    }),
  ),
})

const keptShare = z.object({
  /** Of the person whose share it is. */
  id: z.string(),
  name: z.string(),
  /** Shares that give the words. */
  need: count,
  /** Shares that were given out. */
  of: count,
  /** Which of them. */
  number: count,
  receivedAt: time,
})

export const keptSharesSchema = z.object({ shares: z.array(keptShare) })

export const toldSharesSchema = z.object({
  /** The newest first. */
  shares: z.array(keptShare.extend({ text: z.string() })),
})
