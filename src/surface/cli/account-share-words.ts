import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { newCommand, wholeNumber, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'
import { readWords } from './words-input.ts'

interface Options {
  readonly account?: string
  readonly need: number
  readonly wordsFile?: string
}

/** `abzu account share-words`: the words split among friends, some of whom bring them back. */
export function accountShareWords(context: CliContext): Command {
  return withAccountOption(newCommand('share-words', context))
    .description("Split an account's words among contacts: some of them together bring it back")
    .argument('<contact...>', 'who gets a share each, 2 to 16 people')
    .requiredOption(
      '--need <number>',
      'how many of them it takes',
      wholeNumber({ min: 2, max: 16 }),
    )
    .option('--words-file <file>', 'read the words from a file, - for standard input')
    .action(async (to: string[], { account, need, wordsFile }: Options) => {
      const client = await clientOf(context, account)
      const words = await readWords(context, wordsFile)
      const answer = await client.shareWords({ words, need, to })
      await context.output.result(answer, () => [
        ...answer.shares.map(describe),
        '',
        `Any ${need} of them together can bring the account back, and so take it over; fewer learn nothing.`,
        'Tell them what it is for. A share that is refused was not kept: split the words anew then.',
        'Shares of earlier splittings work as long as their keepers have them.',
      ])
    })
}

function describe({ name, state, msgId }: Answer<'shareWords'>['shares'][number]): string {
  return `${name}  ${state}  ${msgId}`
}
