/** The part of the table of routes by which Admins and Adults look after a Child. @module */

import type { Route } from './route.ts'
import * as schemas from './oversight-schemas.ts'

export const oversightRoutes = {
  children: {
    method: 'GET',
    path: '/v1/oversight',
    caller: 'member',
    operation: 'oversight.look',
    summary: 'What is decided for the Children of the household, and what they ask',
    answer: schemas.childrenSchema,
  },
  child: {
    method: 'GET',
    path: '/v1/oversight/:account',
    caller: 'member',
    operation: 'oversight.look',
    on: 'account',
    summary: 'What is decided for one Child',
    params: schemas.childParams,
    answer: schemas.childSchema,
  },
  decideContact: {
    method: 'POST',
    path: '/v1/oversight/:account/contacts',
    caller: 'member',
    operation: 'oversight.rule',
    on: 'account',
    summary: 'Let letters pass between a Child and a contact, or not',
    params: schemas.childParams,
    body: schemas.decideContactBody,
    answer: schemas.watchedContactSchema,
  },
  ruleChild: {
    method: 'POST',
    path: '/v1/oversight/:account/rules',
    caller: 'member',
    operation: 'oversight.rule',
    on: 'account',
    summary: 'Set when a Child may write, or freeze it',
    params: schemas.childParams,
    body: schemas.childRulesBody,
    answer: schemas.childSchema,
  },
  inspectChild: {
    method: 'POST',
    path: '/v1/oversight/:account/inspect',
    caller: 'member',
    operation: 'oversight.inspect',
    on: 'account',
    summary:
      'Open what a Child has sent and received, after an entry in its audit; who may not leaves one by trying',
    params: schemas.childParams,
    body: schemas.inspectBody,
    answer: schemas.inspectionSchema,
    timeoutMs: 120_000,
  },
  audit: {
    method: 'GET',
    path: '/v1/audit',
    caller: 'member',
    operation: 'audit.look',
    on: 'self',
    summary: "Who has looked at the account's messages, or tried to",
    answer: schemas.auditSchema,
  },
} as const satisfies Record<string, Route>
