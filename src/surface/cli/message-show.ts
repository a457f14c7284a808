import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { stateMeaning } from './message-state.ts'
import { clientOf } from './session.ts'

/** `abzu message show`: what became of a message, and who said so. */
export function messageShow(context: CliContext): Command {
  return withAccountOption(newCommand('show', context))
    .description('Show what became of a message that was sent')
    .argument('<msgId>', 'as `abzu send` printed it')
    .action(async (msgId: string, { account }: { account?: string }) => {
      const message = await (await clientOf(context, account)).message(msgId)
      await context.output.result(message, () => [
        `${message.state}: ${stateMeaning[message.state]}`,
        ...message.history.map(({ state, at, by }) => `  ${at}  ${state}  said by ${by}`),
      ])
    })
}
