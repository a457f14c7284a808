/** What is not to stand on the command line: read from a file, a descriptor or standard input, or typed unseen.
 *  @module */

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { concatBytes, fromUtf8 } from '../../base/util/bytes.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { CliContext } from './context.ts'

const lineEndBytesMax = 2

export interface SecretKind {
  /** With its article, for messages: `a password`. */
  readonly what: string
  /** UTF-8. */
  readonly bytesMax: number
}

/** The text of a file, less one final line end; a person is told where others may read the file.
 *  @throws {AbzuError} ABZU_FILE_INVALID */
export async function secretOfFile(
  context: CliContext,
  path: string,
  kind: SecretKind,
): Promise<string> {
  await warnOfReaders(context, path)
  return secretOf(createReadStream(path), { ...kind, source: path })
}

/** The same of any stream. `source` names it in messages.
 *  @throws {AbzuError} ABZU_FILE_INVALID */
export async function secretOf(
  chunks: AsyncIterable<Uint8Array>,
  { what, bytesMax, source }: SecretKind & { readonly source: string },
): Promise<string> {
  let bytes: Uint8Array = new Uint8Array()
  try {
    for await (const chunk of chunks) {
      bytes = concatBytes(bytes, chunk)
      if (bytes.length > bytesMax + lineEndBytesMax) break
    }
  } catch (cause) {
    throw new AbzuError('ABZU_FILE_INVALID', `cannot read ${what} from ${source}`, { cause })
  }
  const unusable = (why: string): AbzuError =>
    new AbzuError('ABZU_FILE_INVALID', `${what} from ${source} ${why}`)
  const secret = fromUtf8(bytes)?.replace(/\r?\n$/, '')
  if (secret === undefined) throw unusable('is not UTF-8')
  if (secret === '') throw unusable('is empty')
  if (bytes.length > bytesMax + lineEndBytesMax) throw unusable('is too long')
  return secret
}

/** What a person types at a terminal; nothing of it is shown.
 *  @param init.otherwise how to give it where nobody is there to type
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export async function askUnseen(
  { io }: CliContext,
  { message, otherwise }: { readonly message: string; readonly otherwise: string },
): Promise<string> {
  if (!io.stdin.isTTY) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', `nobody is here to type it: give ${otherwise}`)
  }
  const { isCancel, password } = await import('@clack/prompts')
  const typed = await password({
    message,
    mask: '',
    input: io.stdin,
    output: io.stderr,
    validate: (text) => (text ? undefined : 'It must not be empty.'),
  })
  if (isCancel(typed)) throw new AbzuError('ABZU_INVALID_ARGUMENT', 'nothing was typed')
  return typed
}

/** What a person types at a terminal, in one line that is seen, and judged before it is taken.
 *  @param init.judge throws an AbzuError, whose message is shown, where it has to be typed again
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export async function askLine<T>(
  { io }: CliContext,
  init: {
    readonly message: string
    readonly otherwise: string
    readonly judge: (typed: string) => T
  },
): Promise<T> {
  const { message, otherwise, judge } = init
  if (!io.stdin.isTTY) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', `nobody is here to type it: give ${otherwise}`)
  }
  const { isCancel, text } = await import('@clack/prompts')
  const validate = (typed: string | undefined): string | undefined => {
    try {
      judge(typed ?? '')
      return undefined
    } catch (error) {
      return toAbzuError(error).message
    }
  }
  const typed = await text({ message, input: io.stdin, output: io.stderr, validate })
  if (isCancel(typed)) throw new AbzuError('ABZU_INVALID_ARGUMENT', 'nothing was typed')
  return judge(typed)
}

async function warnOfReaders({ output }: CliContext, path: string): Promise<void> {
  // what is wrong with the file is said when it is read
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() && (found.mode & 0o077) !== 0) {
    await output.note(`abzu: others on this machine may read ${path}: chmod 600 it`)
  }
}
