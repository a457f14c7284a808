import { Option, type Command } from 'commander'
import { roles, type Role } from '../../user/household/role.ts'
import { newCommand, withActorOption } from './command.ts'
import type { CliContext } from './context.ts'
import { tellNewAccount } from './new-account.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'
import { callerOf } from './session.ts'

interface Options extends PasswordOptions {
  readonly role: Role
  readonly account?: string
}

/** `abzu account create`: a new account, unlocked, and its words. */
export function accountCreate(context: CliContext): Command {
  return withActorOption(withPasswordOptions(newCommand('create', context)))
    .description('Create an account, unlocked, and show its 24 words')
    .argument('<name>', 'what the account is called on this node, and by its contacts at first')
    .addOption(
      new Option('--role <role>', 'what the account may do here').choices(roles).default('admin'),
    )
    .action(async (name: string, { role, account, ...rest }: Options) => {
      const password = await readPassword(context, rest, { twice: true })
      const client = await callerOf(context, account)
      await tellNewAccount(context, await client.createAccount({ name, role, password }))
    })
}
