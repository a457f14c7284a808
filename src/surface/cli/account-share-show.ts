import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { qrCode } from './qr-code.ts'
import { clientOf } from './session.ts'

type Share = Answer<'showShare'>['shares'][number]

/** `abzu account share-show`: a friend's share, to be told to that friend. */
export function accountShareShow(context: CliContext): Command {
  return withAccountOption(newCommand('share-show', context))
    .description("Show the share of a person's words, to be told to that person and to nobody else")
    .argument('<person>', 'name or id of the contact')
    .action(async (person: string, { account }: { account?: string }) => {
      const shares = await (await clientOf(context, account)).showShare(person)
      const lines = context.output.json ? [] : (await Promise.all(shares.map(describe))).flat()
      await context.output.result({ shares }, () => [
        ...lines,
        'Tell it in person, or on the phone where you know the voice: whoever asks by a message may',
        'be somebody else. There: abzu account words --join',
      ])
    })
}

async function describe({ name, need, of, number, receivedAt, text }: Share): Promise<string[]> {
  return [
    `${name}'s share ${number} of ${of}, kept since ${receivedAt}; ${need} of one splitting are needed:`,
    '',
    `  ${text.replaceAll(/(.{5})(?=.)/g, '$1 ')}`,
    ...(await qrCode(text)),
    '',
  ]
}
