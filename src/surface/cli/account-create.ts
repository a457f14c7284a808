import { Option, type Command } from 'commander'
import { roles, type Role } from '../../user/household/role.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'
import { sessionFiles } from './session.ts'
import { wordColumns } from './word-columns.ts'

/** `abzu account create`: a new account, unlocked, and its words. */
export function accountCreate(context: CliContext): Command {
  return withPasswordOptions(newCommand('create', context))
    .description('Create an account, unlocked, and show its 24 words')
    .argument('<name>', 'what the account is called on this node, and by its contacts at first')
    .addOption(new Option('--role <role>', 'only admin yet').choices(roles).default('admin'))
    .action(async (name: string, options: PasswordOptions & { role: Role }) => {
      const password = await readPassword(context, options, { twice: true })
      const client = await context.daemon()
      const { role } = options
      const { id, token, words, ...created } = await client.createAccount({ name, role, password })
      await (await sessionFiles(context)).save(id, token)
      await context.output.result({ id, name: created.name, words }, () => [
        `${created.name} is ${id}, unlocked.`,
        '',
        ...wordColumns(words),
        '',
        'Write these words down and keep them away from this machine. They are shown this once;',
        'whoever has them is this person, and only they bring the account back.',
      ])
    })
}
