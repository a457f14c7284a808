/** What the routes about passwords, keys and words say and answer. @module */

import { z } from 'zod'
import { recoverAccountBody, unlockBody } from './schemas.ts'

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
