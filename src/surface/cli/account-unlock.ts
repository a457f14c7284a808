import type { Command } from 'commander'
import { auditLines } from './audit-lines.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'
import { pickAccount, sessionFiles } from './session.ts'

/** `abzu account unlock`: opens the account, and a session for this command line. */
export function accountUnlock(context: CliContext): Command {
  return withPasswordOptions(newCommand('unlock', context))
    .description('Unlock an account by its password; sealed mail that waited is opened')
    .argument('[account]', 'name or id; the only one where left out')
    .action(async (nameOrId: string | undefined, options: PasswordOptions) => {
      const client = await context.daemon()
      const { id, name } = pickAccount((await client.status()).accounts, nameOrId)
      const password = await readPassword(context, options, { twice: false })
      const { token } = await client.unlock({ account: id, password })
      await (await sessionFiles(context)).save(id, token)
      await context.output.note(...auditLines(await client.withSession(token).audit()))
      await context.output.result({ id, name, locked: false }, () => [`${name} is unlocked.`])
    })
}
