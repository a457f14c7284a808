import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import { expectYes } from './confirm.ts'
import type { CliContext } from './context.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'
import { pickAccount, sessionFiles } from './session.ts'
import { readWords } from './words-input.ts'

interface Options extends PasswordOptions {
  readonly account?: string
  readonly wordsFile?: string
}

/** `abzu account revoke`: devices that are not to sign for the account any more. */
export function accountRevoke(context: CliContext): Command {
  return withPasswordOptions(withAccountOption(newCommand('revoke', context)))
    .description('Revoke devices of an account, such as that of a home that was left; by its words')
    .argument('<device...>', 'as abzu account devices lists them')
    .option('--words-file <file>', 'read the words from a file, - for standard input')
    .action(async (revoke: string[], { account, wordsFile, ...options }: Options) => {
      const client = await context.daemon()
      const { id, name } = pickAccount((await client.status()).accounts, account)
      await expectYes(context, `Revoke ${revoke.join(', ')}? It cannot be taken back`)
      const words = await readWords(context, wordsFile)
      const password = await readPassword(context, options, { twice: false })
      const { token } = await client.rotateKeys({ account: id, words, password, revoke })
      await (await sessionFiles(context)).save(id, token)
      await context.output.result({ id, name, revoked: revoke }, () => [
        `${revoke.length} revoked: what it signs is refused from now on.`,
      ])
    })
}
