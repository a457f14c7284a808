import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { lastLine } from './last-line.ts'
import { clientOf } from './session.ts'

type Progress = Extract<Answer<'moveAccount'>, { progress: unknown }>['progress']

/** `abzu account move`: an account lives at a paired node from now on. */
export function accountMove(context: CliContext): Command {
  return withAccountOption(newCommand('move', context))
    .description('Move an account to a paired node; it is opened there with the same password')
    .argument('<node>', 'the address of a paired node, its name or its peer id')
    .action(async (to: string, { account }: { readonly account?: string }) => {
      const client = await clientOf(context, account)
      const { moved } = await lastLine(context, client.moveAccount({ to }), describe)
      await context.output.result(moved, () => [
        `The account lives at ${moved.name ?? moved.to} now, and is frozen here.`,
        moved.isComplete
          ? 'Everything is there: unlock it there with the same password.'
          : 'The rest follows as soon as that node is connected; then unlock it there with the same password.',
        'Contacts see the same person. What still comes here is handed on.',
      ])
    })
}

function describe({ isCopying }: Progress): string {
  return isCopying ? 'the other node takes what it lacks' : 'waiting for the other node'
}
