import { text as readText } from 'node:stream/consumers'
import type { Command } from 'commander'
import { AbzuError } from '../../base/util/errors.ts'
import { newCommand, wholeNumber, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { stateLine } from './message-state.ts'
import { clientOf } from './session.ts'

interface Options {
  readonly account?: string
  readonly wait: number
}

/** `abzu send`: one message to one contact. */
export function send(context: CliContext): Command {
  return withAccountOption(newCommand('send', context))
    .description('Send a message; it is durable before this returns, delivered or not')
    .argument('<to>', "a contact's name or address")
    .argument('<text>', 'what to say; - reads it from standard input')
    .option(
      '--wait <seconds>',
      'how long to wait for a receipt',
      wholeNumber({ min: 0, max: 60 }),
      5,
    )
    .action(async (to: string, argument: string, { account, wait }: Options) => {
      const client = await clientOf(context, account)
      const text = argument === '-' ? await readText(context.io.stdin) : argument
      const sent = await client.send({ to, text, waitMs: wait * 1000 })
      const { msgId, state, held } = sent
      await context.output.result(sent, () => [
        stateLine(state, held),
        `abzu message show ${msgId}`,
      ])
      if (state === 'refused') {
        throw new AbzuError(
          'ABZU_DENIED',
          'the message was refused: abzu message show says by whom',
        )
      }
    })
}
