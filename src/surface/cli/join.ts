import type { Command } from 'commander'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'
import { tellNewAccount } from './new-account.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'

/** `abzu join`: takes up an invitation to the household of this node. */
export function join(context: CliContext): Command {
  return withPasswordOptions(newCommand('join', context))
    .description('Make an account of an invitation, unlocked, and show its 24 words')
    .argument('<link>', 'abzu-join:..., from `abzu invite`')
    .requiredOption('--name <name>', 'what the account is called on this node')
    .action(
      async (link: string, { name, ...rest }: PasswordOptions & { readonly name: string }) => {
        const password = await readPassword(context, rest, { twice: true })
        const client = await context.daemon()
        await tellNewAccount(context, await client.join({ link, name, password }))
      },
    )
}
