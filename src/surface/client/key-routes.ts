/** The routes about passwords, keys and words. @module */

import * as schemas from './key-schemas.ts'
import type { Route } from './route.ts'
import { sessionSchema } from './schemas.ts'

export const keyRoutes = {
  changePassword: {
    method: 'POST',
    path: '/v1/password',
    caller: 'member',
    operation: 'account.keys',
    on: 'self',
    summary: 'Change the password of the account; its sessions end, and another one begins',
    body: schemas.changePasswordBody,
    answer: sessionSchema,
  },
  rotateKeys: {
    method: 'POST',
    path: '/v1/keys/rotate',
    caller: 'anyone',
    operation: 'account.rekey',
    summary: 'Give an account new keys; its sessions end, and another one begins',
    body: schemas.rotateKeysBody,
    answer: sessionSchema,
    timeoutMs: 600_000,
  },
  devices: {
    method: 'GET',
    path: '/v1/devices',
    caller: 'member',
    operation: 'account.keys',
    on: 'self',
    summary: 'The devices that may sign for the account',
    answer: schemas.devicesSchema,
  },
} as const satisfies Record<string, Route>
