import type { Command } from 'commander'
import { AbzuError } from '../../base/util/errors.ts'
import { byteAmount } from './byte-amount.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { writeNewFile } from './new-file.ts'
import { readPassword, withPasswordOptions, type PasswordOptions } from './password.ts'
import { clientOf } from './session.ts'

interface Options extends PasswordOptions {
  readonly account?: string
  readonly to: string
  readonly recipient?: string
  readonly force?: boolean
}

/** `abzu account export`: everything of an account in one file, which `age` opens. */
export function accountExport(context: CliContext): Command {
  const { output } = context
  return withPasswordOptions(withAccountOption(newCommand('export', context)))
    .description('Write an account into one sealed file, from which another node brings it back')
    .requiredOption('--to <file>', 'the file; it is not replaced')
    .option('--recipient <key>', 'seal it to the public key of an age identity, not by a password')
    .option('--force', 'replace the file')
    .action(async ({ account, to, recipient, force = false, ...rest }: Options) => {
      const hasPassword = rest.passwordFile !== undefined || rest.passwordFd !== undefined
      if (recipient !== undefined && hasPassword) {
        throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a password or --recipient, not both')
      }
      const client = await clientOf(context, account)
      const lock =
        recipient === undefined
          ? { password: await readPassword(context, rest, { twice: true }) }
          : { recipient }
      try {
        const bytes = await writeNewFile(to, client.exportAccount(lock), {
          replace: force,
          progress: (done) => output.progress(`${byteAmount(done)} written`),
        })
        await output.progress('')
        await output.result({ file: to, bytes }, () => [
          `${to} holds the account: ${byteAmount(bytes)}, sealed. Whoever opens it is this person.`,
          'abzu account import brings it to another node; the account lives here until then.',
        ])
      } catch (error) {
        await output.progress('')
        throw error
      }
    })
}
