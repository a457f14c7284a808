import type { Command } from 'commander'
import { newCommand, wholeNumber, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { qrCode } from './qr-code.ts'
import { clientOf } from './session.ts'

interface Options {
  readonly account?: string
  readonly uses?: number
  readonly days?: number
}

/** `abzu contact link`: what to give to a friend. */
export function contactLink(context: CliContext): Command {
  return withAccountOption(newCommand('link', context))
    .description('Make a link by which others can write to this account; give it to them only')
    .option('--uses <number>', 'people who may use it', wholeNumber({ min: 1, max: 1000 }))
    .option('--days <number>', 'how long it works', wholeNumber({ min: 1, max: 365 }))
    .action(async ({ account, uses, days }: Options) => {
      const client = await clientOf(context, account)
      const link = await client.createLink({ uses, days })
      const picture = context.output.json ? [] : await qrCode(link)
      await context.output.result({ link }, () => [link, ...picture])
    })
}
