import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { formatByteCount } from './byte-count.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'

type PeerStatus = Answer<'peerStatus'>['peers'][number]

/** `abzu peer status`: which node holds whose sealed items, how far behind each is, when last verified. */
export function peerStatus(context: CliContext): Command {
  return newCommand('status', context)
    .description('Say which copies the nodes that this one is paired with hold, and how they stand')
    .action(async () => {
      const peers = await (await context.daemon()).peerStatus()
      await context.output.result({ peers }, () =>
        peers.length === 0 ? ['no peer yet: abzu peer invite'] : peers.flatMap(describe),
      )
    })
}

function describe(peer: PeerStatus): string[] {
  const { name, peerId, connected, behind, verifiedSecondsAgo, usedBytes, mailboxes } = peer
  const state = connected ? 'connected' : 'away'
  const lag = behind === null ? 'does not pull' : behind === 0 ? 'up to date' : `${behind} behind`
  const verified =
    verifiedSecondsAgo === null ? 'not verified yet' : `verified ${verifiedSecondsAgo} s ago`
  return [
    `${name ?? peerId}  ${state}, ${lag}, ${verified}, ${formatByteCount(usedBytes)} kept for it`,
    ...mailboxes.map(
      ({ mailbox, here, there, items, bytes }) =>
        `  ${mailbox.slice(0, 16)}  ${here} here, ${there} there, ${items} items, ${formatByteCount(bytes)}`,
    ),
  ]
}
