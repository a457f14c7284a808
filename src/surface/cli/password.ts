/** Passwords come from a prompt, a file or a file descriptor, never from the command line. @module */

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Option, type Command } from 'commander'
import { concatBytes, fromUtf8 } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { CliContext } from './context.ts'

export interface PasswordOptions {
  readonly passwordFile?: string
  readonly passwordFd?: number
}

const passwordBytesMax = 1024
const lineEndBytesMax = 2

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
  if (passwordFile !== undefined) {
    await warnOfReaders(context, passwordFile)
    return readFrom(createReadStream(passwordFile), passwordFile)
  }
  if (passwordFd !== undefined) {
    const what = `descriptor ${passwordFd}`
    return readFrom(createReadStream('', { fd: passwordFd, autoClose: false }), what)
  }
  const password = await ask(context, twice ? 'New password' : 'Password')
  if (twice && (await ask(context, 'The same again')) !== password) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'the two passwords differ')
  }
  return password
}

async function readFrom(chunks: AsyncIterable<Uint8Array>, what: string): Promise<string> {
  let bytes: Uint8Array = new Uint8Array()
  try {
    for await (const chunk of chunks) {
      bytes = concatBytes(bytes, chunk)
      if (bytes.length > passwordBytesMax + lineEndBytesMax) break
    }
  } catch (cause) {
    throw new AbzuError('ABZU_FILE_INVALID', `cannot read a password from ${what}`, { cause })
  }
  const password = fromUtf8(bytes)?.replace(/\r?\n$/, '')
  if (password === undefined) throw unusable(what, 'is not UTF-8')
  if (password === '') throw unusable(what, 'is empty')
  if (bytes.length > passwordBytesMax + lineEndBytesMax) throw unusable(what, 'is too long')
  return password
}

function unusable(what: string, why: string): AbzuError {
  return new AbzuError('ABZU_FILE_INVALID', `the password in ${what} ${why}`)
}

async function warnOfReaders({ output }: CliContext, path: string): Promise<void> {
  // what is wrong with the file is said when it is read
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() && (found.mode & 0o077) !== 0) {
    await output.note(`abzu: others on this machine may read ${path}: chmod 600 it`)
  }
}

async function ask({ io }: CliContext, message: string): Promise<string> {
  if (!io.stdin.isTTY) {
    throw new AbzuError(
      'ABZU_INVALID_ARGUMENT',
      'nobody is here to type a password: give --password-file or --password-fd',
    )
  }
  const { isCancel, password } = await import('@clack/prompts')
  const typed = await password({
    message,
    mask: '',
    input: io.stdin,
    output: io.stderr,
    validate: (text) => (text ? undefined : 'It must not be empty.'),
  })
  if (isCancel(typed)) throw new AbzuError('ABZU_INVALID_ARGUMENT', 'no password was given')
  return typed
}

function parseDescriptor(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new AbzuError('ABZU_INVALID_ARGUMENT', '--password-fd needs the number of a descriptor')
}
