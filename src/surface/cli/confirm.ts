import { AbzuError } from '../../base/util/errors.ts'
import { inertLine } from '../../base/util/inert-text.ts'
import type { CliContext } from './context.ts'

/** Asks whoever sits at a terminal; a program has decided already.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT where the answer is no */
export async function expectYes({ io, output }: CliContext, question: string): Promise<void> {
  if (!io.stdin.isTTY || output.json) return
  const { confirm } = await import('@clack/prompts')
  const answer = await confirm({
    message: inertLine(question),
    initialValue: false,
    input: io.stdin,
    output: io.stderr,
  })
  if (answer !== true) throw new AbzuError('ABZU_INVALID_ARGUMENT', 'nothing was done')
}
