import { Option, type Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import {
  parseDescriptor,
  readPassword,
  withPasswordOptions,
  type PasswordOptions,
} from './password.ts'
import { clientOf, sessionFiles } from './session.ts'

interface Options extends PasswordOptions {
  readonly account?: string
  readonly newPasswordFile?: string
  readonly newPasswordFd?: number
}

/** `abzu account password`: another password for an unlocked account. */
export function accountPassword(context: CliContext): Command {
  return withPasswordOptions(withAccountOption(newCommand('password', context)))
    .description('Change the password of an account; its other sessions end')
    .option('--new-password-file <file>', 'read the new password from a file')
    .addOption(
      new Option('--new-password-fd <number>', 'read the new password from an open file descriptor')
        .argParser(parseDescriptor)
        .conflicts('newPasswordFile'),
    )
    .action(async ({ account, newPasswordFile, newPasswordFd, ...current }: Options) => {
      const client = await clientOf(context, account)
      const password = await readPassword(context, current, { twice: false })
      const newPassword = await readPassword(
        context,
        {
          ...(newPasswordFile !== undefined && { passwordFile: newPasswordFile }),
          ...(newPasswordFd !== undefined && { passwordFd: newPasswordFd }),
        },
        { twice: true },
      )
      const { id, name, token } = await client.changePassword({ password, newPassword })
      await (await sessionFiles(context)).save(id, token)
      await context.output.result({ id, name, changed: true }, () => [
        `The password of ${name} is changed; other sessions have ended.`,
      ])
    })
}
