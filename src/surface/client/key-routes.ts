/** The routes about passwords, keys and words. @module */

import * as schemas from './key-schemas.ts'
import type { Route } from './route.ts'
import { contactParams, sessionSchema } from './schemas.ts'

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
  shareWords: {
    method: 'POST',
    path: '/v1/shares',
    caller: 'member',
    operation: 'account.keys',
    on: 'self',
    summary: 'Split the words of the account among contacts, some of whom bring them back',
    body: schemas.shareWordsBody,
    answer: schemas.sentSharesSchema,
  },
  shares: {
    method: 'GET',
    path: '/v1/shares',
    caller: 'member',
    operation: 'share.look',
    on: 'self',
    summary: "The shares of other people's words that the account keeps",
    answer: schemas.keptSharesSchema,
  },
  showShare: {
    method: 'GET',
    path: '/v1/shares/:contact',
    caller: 'member',
    operation: 'share.look',
    on: 'self',
    summary: 'What the account keeps for one person, to be told to that person',
    params: contactParams,
    answer: schemas.toldSharesSchema,
  },
} as const satisfies Record<string, Route>
