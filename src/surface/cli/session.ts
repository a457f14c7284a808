/** Finds the account that a command acts as, and the session that lets it. @module */

import { AbzuError } from '../../base/util/errors.ts'
import type { AbzuClient } from '../client/client.ts'
import type { Answer } from '../client/routes.ts'
import type { CliContext } from './context.ts'
import { SessionFiles } from './session-files.ts'

type Account = Answer<'status'>['accounts'][number]

/** Which account is meant: by its name or id, or the only one of the node.
 *  @throws {AbzuError} ABZU_NOT_FOUND; ABZU_INVALID_ARGUMENT where several could be meant */
export function pickAccount(accounts: readonly Account[], nameOrId: string | undefined): Account {
  const [only, ...others] = accounts
  if (nameOrId === undefined && only !== undefined && others.length === 0) return only
  if (nameOrId === undefined && only !== undefined) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'there are several accounts: say --account <name>')
  }
  const found = accounts.find(({ id, name }) => id === nameOrId || name === nameOrId)
  if (found !== undefined) return found
  const what = nameOrId === undefined ? 'is no account yet' : `is no account ${nameOrId}`
  throw new AbzuError('ABZU_NOT_FOUND', `there ${what}: abzu account create <name>`)
}

/** A client that acts as the account which `nameOrId` means.
 *  @throws {AbzuError} ABZU_LOCKED; ABZU_ACCOUNT_MOVED; ABZU_SESSION_INVALID where it was unlocked elsewhere; those of
 *  `pickAccount` and of the client */
export async function clientOf(
  context: CliContext,
  nameOrId: string | undefined,
): Promise<AbzuClient> {
  const client = await context.daemon()
  const { accounts } = await client.status()
  const { id, name, locked, movedTo } = pickAccount(accounts, nameOrId)
  const remedy = `abzu account unlock ${name}`
  if (movedTo !== undefined) {
    throw new AbzuError('ABZU_ACCOUNT_MOVED', `${name} lives at another node now: ${movedTo}`)
  }
  if (locked) throw new AbzuError('ABZU_LOCKED', `${name} is locked: ${remedy}`)
  const token = await (await sessionFiles(context)).load(id)
  if (token === undefined) {
    throw new AbzuError('ABZU_SESSION_INVALID', `no session of ${name} here: ${remedy}`)
  }
  return client.withSession(token)
}

/** A client that acts as the account which `nameOrId` means, or as the owner of the machine where there is none.
 *  @throws {AbzuError} those of `clientOf` */
export async function callerOf(
  context: CliContext,
  nameOrId: string | undefined,
): Promise<AbzuClient> {
  return nameOrId === undefined ? context.daemon() : clientOf(context, nameOrId)
}

/** A client that acts as the Admin or Adult whom `nameOrId` means: the only one with a session here where it is left out.
 *  @throws {AbzuError} those of `clientOf` */
export async function grownUpOf(
  context: CliContext,
  nameOrId: string | undefined,
): Promise<AbzuClient> {
  if (nameOrId !== undefined) return clientOf(context, nameOrId)
  const { accounts } = await (await context.daemon()).status()
  const files = await sessionFiles(context)
  const here: string[] = []
  for (const { id, role, locked } of accounts) {
    const isGrownUp = role === 'admin' || role === 'adult'
    if (isGrownUp && !locked && (await files.load(id)) !== undefined) here.push(id)
  }
  return clientOf(context, here.length === 1 ? here[0] : undefined)
}

/** Where this home's session tokens are kept. */
export async function sessionFiles(context: CliContext): Promise<SessionFiles> {
  return new SessionFiles((await context.paths()).sessions)
}
