import { AbzuError } from '../../base/util/errors.ts'
import type { CliContext } from './context.ts'

/** What long work of the daemon ended with. On the way it is shown how far it is, as `describe` says it; what is shown stays
 *  where that is undefined, and goes in the end.
 *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION where the daemon does not say; those of the lines */
export async function lastLine<P, E extends object>(
  { output }: Pick<CliContext, 'output'>,
  lines: AsyncIterable<{ readonly progress: P } | E>,
  describe: (progress: P) => string | undefined,
): Promise<E> {
  try {
    for await (const line of lines) {
      if (!('progress' in line)) return line
      const shown = describe(line.progress)
      if (shown !== undefined) await output.progress(shown)
    }
  } finally {
    await output.progress('')
  }
  throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'the daemon did not say how it ended')
}
