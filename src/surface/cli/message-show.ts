import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { heldLine, stateLine, type Holding } from './message-state.ts'
import { clientOf } from './session.ts'

/** `abzu message show`: what became of a message, and who said so. */
export function messageShow(context: CliContext): Command {
  return withAccountOption(newCommand('show', context))
    .description('Show what became of a message that was sent')
    .argument('<msgId>', 'as `abzu send` printed it')
    .action(async (msgId: string, { account }: { account?: string }) => {
      const message = await (await clientOf(context, account)).message(msgId)
      await context.output.result(message, () => [
        stateLine(message.state, holdingOf(message.history.at(-1))),
        ...message.history.map((entry) => `  ${entry.at}  ${entryLine(entry)}`),
      ])
    })
}

type Entry = Answer<'message'>['history'][number]

function holdingOf(entry: Entry | undefined): Holding | undefined {
  return entry?.until === undefined ? undefined : { ...entry, until: entry.until }
}

function entryLine(entry: Entry): string {
  const holding = holdingOf(entry)
  return holding ? heldLine(holding) : `${entry.state}  said by ${entry.name ?? entry.by}`
}
