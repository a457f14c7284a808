/** How every command begins. @module */

import { Command } from 'commander'
import { AbzuError } from '../../base/util/errors.ts'
import { inertText } from '../../base/util/inert-text.ts'
import type { CliContext } from './context.ts'

/** Builds one command of the line. */
export type CommandFactory = (context: CliContext) => Command

/** A command that throws instead of ending the process, and that has `--json`. */
export function newCommand(name: string, { io, output }: CliContext): Command {
  return new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(inertText(text)),
      writeErr: (text) => void (output.json || io.stderr.write(inertText(text))),
      // the error is thrown as well, and told once, where all are
      outputError: () => {},
    })
    .option('--json', 'print JSON, one line, for programs')
}

/** A command that only holds others. */
export function newGroup(
  name: string,
  context: CliContext,
  { description, commands }: { description: string; commands: readonly CommandFactory[] },
): Command {
  const group = newCommand(name, context).description(description)
  for (const command of commands) group.addCommand(command(context))
  return group
}

/** Adds `--account`: whom the command acts as. */
export function withAccountOption(command: Command): Command {
  return command.option(
    '--account <name>',
    'act as this account, by name or id; the only one where left out',
  )
}

/** Adds `--account` to what the owner of the machine may do as well. */
export function withActorOption(command: Command): Command {
  return command.option(
    '--account <name>',
    'act as this account, by name or id; as the owner of this machine where left out',
  )
}

/** An option's parser for whole numbers. */
export function wholeNumber({ min, max }: { min: number; max: number }): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= min && number <= max) return number
    throw new AbzuError('ABZU_INVALID_ARGUMENT', `${text} is not a number from ${min} to ${max}`)
  }
}
