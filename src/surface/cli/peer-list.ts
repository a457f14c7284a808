import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { formatByteCount } from './byte-count.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'

/** `abzu peer list`: which nodes this one trusts. */
export function peerList(context: CliContext): Command {
  return newCommand('list', context)
    .description('List the nodes that this one is paired with')
    .action(async () => {
      const peers = await (await context.daemon()).trustedPeers()
      await context.output.result({ peers }, () =>
        peers.length === 0 ? ['no peer yet: abzu peer invite'] : peers.map(describePeer),
      )
    })
}

/** A trusted node on one line. */
export function describePeer(peer: Answer<'acceptPeer'>): string {
  const given = `${formatByteCount(peer.quotaBytes)} for it, ${formatByteCount(peer.grantedBytes)} there`
  return `${peer.name}  ${peer.connected ? 'connected' : 'away'}, ${given}  ${peer.peerId}`
}
