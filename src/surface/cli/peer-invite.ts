import type { Command } from 'commander'
import { peerCodeHoursMax } from '../client/schemas.ts'
import { newCommand, wholeNumber } from './command.ts'
import type { CliContext } from './context.ts'
import { withPairOptions, type PairOptions } from './pair-options.ts'
import { qrCode } from './qr-code.ts'

/** `abzu peer invite`: what to give to a friend who runs a node. */
export function peerInvite(context: CliContext): Command {
  return withPairOptions(newCommand('invite', context))
    .description('Make a code by which one other node can pair with this one, once')
    .option(
      '--hours <number>',
      'how long it works; 24 where left out',
      wholeNumber({ min: 1, max: peerCodeHoursMax }),
    )
    .action(async ({ name, quota, hours }: PairOptions & { readonly hours?: number }) => {
      const client = await context.daemon()
      const given = await client.invitePeer({ name, quotaBytes: quota, hours })
      const picture = context.output.json ? [] : await qrCode(given.code)
      await context.output.result(given, () => [
        given.code,
        ...picture,
        '',
        `Give it to the owner of the other node and to nobody else; it works once, until ${given.until}.`,
        'There: abzu peer accept <code>',
      ])
    })
}
