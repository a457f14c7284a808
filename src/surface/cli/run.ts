import { CommanderError } from 'commander'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import { CliContext, type CliIo } from './context.ts'
import { exitCodeOf } from './exit-codes.ts'
import { createProgram } from './program.ts'

/** Runs one command and returns its exit code. Never throws. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  const end = args.indexOf('--')
  const options = end < 0 ? args : args.slice(0, end)
  // before the line is parsed, because what is wrong with it is told that way too
  const json = options.includes('--json') || options.includes('--log-json')
  const context = new CliContext(io, { json })
  try {
    await createProgram(context).parseAsync(args, { from: 'user' })
    return context.exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const known = error instanceof CommanderError ? usageError(error) : toAbzuError(error)
    await context.output.error(known)
    return exitCodeOf[known.code]
  }
}

function usageError(error: CommanderError): AbzuError {
  const message =
    error.code === 'commander.help'
      ? 'say which command: --help lists them'
      : error.message.replace(/^error: /, '')
  return new AbzuError('ABZU_INVALID_ARGUMENT', message, { cause: error })
}
