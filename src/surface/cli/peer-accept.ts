import type { Command } from 'commander'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'
import { withPairOptions, type PairOptions } from './pair-options.ts'
import { describePeer } from './peer-list.ts'

/** `abzu peer accept`: takes up a code of another node. */
export function peerAccept(context: CliContext): Command {
  return withPairOptions(newCommand('accept', context))
    .description('Pair with the node that a code is of: each keeps sealed copies for the other')
    .argument('<code>', 'abzu-peer:..., from `abzu peer invite` on the other node')
    .action(async (code: string, { name, quota }: PairOptions) => {
      const client = await context.daemon()
      const peer = await client.acceptPeer({ code, name, quotaBytes: quota })
      await context.output.result(peer, () => [
        'The two nodes trust each other now.',
        describePeer(peer),
      ])
    })
}
