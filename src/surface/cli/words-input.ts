/** The words of an account, read from a file or typed unseen. @module */

import type { CliContext } from './context.ts'
import { askUnseen, secretOf, secretOfFile } from './secret-input.ts'

const wordsBytesMax = 1024

/** What was given as the words. Numbers, as `account create` puts them before the words, do not count.
 *  @param file `-` is standard input; asked for where left out
 *  @throws {AbzuError} ABZU_FILE_INVALID, ABZU_INVALID_ARGUMENT where there is nobody to ask */
export async function readWords(context: CliContext, file: string | undefined): Promise<string> {
  const kind = { what: 'the words', bytesMax: wordsBytesMax }
  const text =
    file === undefined
      ? await askUnseen(context, { message: 'The 24 words', otherwise: '--words-file' })
      : file === '-'
        ? await secretOf(context.io.stdin, { ...kind, source: 'standard input' })
        : await secretOfFile(context, file, kind)
  return text.replaceAll(/\d+\.?/g, ' ')
}
