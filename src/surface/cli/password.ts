/** Passwords come from a prompt, a file or a file descriptor, never from the command line. @module */

import { createReadStream } from 'node:fs'
import { Option, type Command } from 'commander'
import { AbzuError } from '../../base/util/errors.ts'
import type { CliContext } from './context.ts'
import { askUnseen, secretOf, secretOfFile } from './secret-input.ts'

export interface PasswordOptions {
  readonly passwordFile?: string
  readonly passwordFd?: number
}

const passwordBytesMax = 1024
const kind = { what: 'a password', bytesMax: passwordBytesMax }

/** Adds the options that `readPassword` reads. */
export function withPasswordOptions(command: Command): Command {
  return command
    .option('--password-file <file>', 'read the password from a file, less one final line end')
    .addOption(
      new Option('--password-fd <number>', 'read the password from an open file descriptor')
        .argParser(parseDescriptor)
        .conflicts('passwordFile'),
    )
}

/** The password that `options` name, or the one typed at a prompt: `twice` where it is a new one.
 *  @throws {AbzuError} ABZU_FILE_INVALID; ABZU_INVALID_ARGUMENT where there is nobody to ask */
export async function readPassword(
  context: CliContext,
  { passwordFile, passwordFd }: PasswordOptions,
  { twice }: { twice: boolean },
): Promise<string> {
  if (passwordFile !== undefined) return secretOfFile(context, passwordFile, kind)
  if (passwordFd !== undefined) {
    const source = `descriptor ${passwordFd}`
    const stream = createReadStream('', { fd: passwordFd, autoClose: false })
    return secretOf(stream, { ...kind, source })
  }
  const ask = async (message: string): Promise<string> =>
    askUnseen(context, { message, otherwise: '--password-file or --password-fd' })
  const password = await ask(twice ? 'New password' : 'Password')
  if (twice && (await ask('The same again')) !== password) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'the two passwords differ')
  }
  return password
}

/** Parses the number of an open file descriptor.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export function parseDescriptor(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new AbzuError('ABZU_INVALID_ARGUMENT', `${text} is not the number of a descriptor`)
}
