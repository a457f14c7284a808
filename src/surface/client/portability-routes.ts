/** Accounts that leave in a file, or come in one. @module */

import type { Route } from './route.ts'
import * as schemas from './portability-schemas.ts'

export const portabilityRoutes = {
  exportAccount: {
    method: 'POST',
    path: '/v1/export',
    caller: 'member',
    operation: 'account.export',
    on: 'self',
    summary: 'The account of this session as a file that `age` opens',
    body: schemas.exportBody,
    answer: schemas.bytesSchema,
    bytes: true,
    timeoutMs: 60_000,
  },
  moveAccount: {
    method: 'POST',
    path: '/v1/move',
    caller: 'member',
    operation: 'account.move',
    on: 'self',
    summary: 'Let the account of this session live at a paired node; tells how far it is',
    body: schemas.moveAccountBody,
    answer: schemas.moveLineSchema,
    lines: true,
  },
  beginUpload: {
    method: 'POST',
    path: '/v1/uploads',
    caller: 'anyone',
    operation: 'account.upload',
    summary: 'Begin to bring a file in, piece by piece',
    answer: schemas.uploadSchema,
  },
  upload: {
    method: 'POST',
    path: '/v1/uploads/:upload/:at',
    caller: 'anyone',
    operation: 'account.upload',
    summary: 'Bring the next piece of a file in',
    params: schemas.pieceParams,
    piece: true,
    answer: schemas.uploadedSchema,
  },
  importAccount: {
    method: 'POST',
    path: '/v1/accounts/import',
    caller: 'anyone',
    operation: 'account.create',
    on: 'role',
    summary:
      'Bring an account here from an export that was brought in, unlocked, and open a session; tells how far it is',
    body: schemas.importAccountBody,
    answer: schemas.importLineSchema,
    lines: true,
  },
} as const satisfies Record<string, Route>
