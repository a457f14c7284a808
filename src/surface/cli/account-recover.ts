import { Option, type Command } from 'commander'
import { roles, type Role } from '../../user/household/role.ts'
import type { Answer } from '../client/routes.ts'
import { byteAmount } from './byte-amount.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'
import { lastLine } from './last-line.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'
import { sessionFiles } from './session.ts'
import { readWords } from './words-input.ts'

interface Options extends PasswordOptions {
  readonly name: string
  readonly wordsFile?: string
  readonly peer?: string
  readonly role?: Role
}

type Progress = Extract<Answer<'recoverAccount'>, { progress: unknown }>['progress']

/** `abzu account recover`: an account comes back from its words, with all that other nodes hold of it. */
export function accountRecover(context: CliContext): Command {
  return withPasswordOptions(newCommand('recover', context))
    .description('Bring an account here from its 24 words; this node is its home from then on')
    .requiredOption('--name <name>', 'what the account is called on this node')
    .option('--words-file <file>', 'read the words from a file, - for standard input')
    .option('--peer <address>', 'a node that is known to hold a copy: asked first')
    .addOption(
      new Option(
        '--role <role>',
        'what the account may do here; an Adult where left out, the Admin of a node without one',
      ).choices(roles),
    )
    .action(async ({ name, wordsFile, peer, role: wanted, ...rest }: Options) => {
      const words = await readWords(context, wordsFile)
      const password = await readPassword(context, rest, { twice: true })
      const client = await context.daemon()
      const asked = {
        name,
        words,
        password,
        ...(peer !== undefined && { peer }),
        ...(wanted && { role: wanted }),
      }
      const { recovered } = await lastLine(context, client.recoverAccount(asked), describe)
      const { id, role, token, items, bytes, ...account } = recovered
      await (await sessionFiles(context)).save(id, token)
      await context.output.result({ id, name: account.name, role, items, bytes }, () => [
        `${account.name} is ${id}, recovered and unlocked: ${items} items, ${byteAmount(bytes)}.`,
        'This node is its home now; an earlier one freezes the account as soon as it learns of it.',
        'Contacts see the same person, and are told that a device writes which they do not know.',
      ])
    })
}

function describe({ items, bytes, itemsTotal }: Progress): string {
  if (itemsTotal === 0) return 'looking for a node that holds the account'
  return `${items} of ${itemsTotal} items, ${byteAmount(bytes)}`
}
