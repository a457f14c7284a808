import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'
import { pickAccount, sessionFiles } from './session.ts'
import { readWords } from './words-input.ts'

interface Options extends PasswordOptions {
  readonly account?: string
  readonly wordsFile?: string
  readonly keysOnly?: boolean
}

/** `abzu account rotate`: new keys for an account, and the old device's word counts for nothing any more. */
export function accountRotate(context: CliContext): Command {
  return withPasswordOptions(withAccountOption(newCommand('rotate', context)))
    .description('Replace the keys of an account by its words: after a theft, or a lost password')
    .option('--words-file <file>', 'read the words from a file, - for standard input')
    .option(
      '--keys-only',
      'without the words: another key of the vault and another prekey, no more',
    )
    .action(async ({ account, wordsFile, keysOnly, ...options }: Options) => {
      const client = await context.daemon()
      const { id } = pickAccount((await client.status()).accounts, account)
      const words = keysOnly ? undefined : await readWords(context, wordsFile)
      const password = await readPassword(context, options, { twice: !keysOnly })
      const asked = { account: id, password, ...(words !== undefined && { words }) }
      const { name, token } = await client.rotateKeys(asked)
      await (await sessionFiles(context)).save(id, token)
      await context.output.result({ id, name, device: !keysOnly }, () => [
        `${name} has new keys and is unlocked.`,
        ...(keysOnly
          ? []
          : [
              'What the old device signs is refused from now on, and its password opens nothing.',
              `Contacts are told once that the keys changed; ${id} and the words stay the same.`,
            ]),
      ])
    })
}
