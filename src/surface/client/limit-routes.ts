/** The part of the table of routes that is about limits. @module */

import * as schemas from './limit-schemas.ts'

export const limitRoutes = {
  limits: {
    method: 'GET',
    path: '/v1/limits',
    caller: 'anyone',
    operation: 'limits.look',
    summary: 'What people, the node and its peers may have and do, and how much of it is used',
    answer: schemas.limitsSchema,
  },
  ownLimits: {
    method: 'GET',
    path: '/v1/limits/own',
    caller: 'member',
    operation: 'limits.look',
    on: 'self',
    summary: 'The same of the account of this session',
    answer: schemas.personLimitsSchema,
  },
  changeLimits: {
    method: 'POST',
    path: '/v1/limits',
    caller: 'anyone',
    operation: 'limits.change',
    summary: 'Set limits of a person, a role, the node or a peer; null is the default',
    body: schemas.changeLimitsBody,
    answer: schemas.changedLimitsSchema,
  },
} as const
