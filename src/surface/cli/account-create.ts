import { Option, type Command } from 'commander'
import { roles, type Role } from '../../user/household/role.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'
import { sessionFiles } from './session.ts'

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
        ...columns(words),
        '',
        'Write these words down and keep them away from this machine. They are shown this once;',
        'whoever has them is this person, and only they bring the account back.',
      ])
    })
}

/** Numbered, four in a row. */
function columns(words: readonly string[]): string[] {
  const cells = words.map((word, index) => `${String(index + 1).padStart(4)} ${word.padEnd(10)}`)
  return Array.from({ length: Math.ceil(cells.length / 4) }, (_, row) =>
    cells
      .slice(4 * row, 4 * row + 4)
      .join('')
      .trimEnd(),
  )
}
