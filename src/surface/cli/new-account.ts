/** What is told of an account that was made. @module */

import type { Answer } from '../client/routes.ts'
import type { CliContext } from './context.ts'
import { sessionFiles } from './session.ts'
import { wordColumns } from './word-columns.ts'

/** Keeps the session of a new account and shows its words, this once. */
export async function tellNewAccount(
  context: CliContext,
  { id, name, role, token, words }: Answer<'createAccount'>,
): Promise<void> {
  await (await sessionFiles(context)).save(id, token)
  await context.output.result({ id, name, role, words }, () => [
    `${name} is ${id}, ${role}, unlocked.`,
    '',
    ...wordColumns(words),
    '',
    'Write these words down and keep them away from this machine. They are shown this once;',
    'whoever has them is this person, and only they bring the account back.',
  ])
}
