import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { describe } from './account-list.ts'
import { newCommand, wholeNumber } from './command.ts'
import type { CliContext } from './context.ts'
import { statusWithin } from './daemon.ts'

/** `abzu status`: the node as it is. */
export function status(context: CliContext): Command {
  return newCommand('status', context)
    .description('Show the node, its accounts and its peers')
    .option(
      '--wait <seconds>',
      'wait for the daemon to answer',
      wholeNumber({ min: 0, max: 3600 }),
      0,
    )
    .action(async ({ wait }: { wait: number }) => {
      const { scheduler } = context.io
      const node = await statusWithin(await context.client(), { timeoutMs: wait * 1000, scheduler })
      await context.output.result(node, () => lines(node))
    })
}

function lines(node: Answer<'status'>): string[] {
  const { version, peerId, pid, accounts, peers, reachability } = node
  return [
    `Abzu ${version}, mesh address ${peerId}, process ${pid}`,
    ...section('reached at', reachability.addresses.map(describeAddress)),
    `LAN discovery: ${reachability.lan ? 'on' : 'off'}`,
    `connected: ${reachability.peers.inbound} in, ${reachability.peers.outbound} out`,
    ...section('accounts', accounts.map(describe)),
    ...section(
      'peers',
      peers.map((peer) => `${peer.peerId}  ${peer.direction}  ${peer.address}`),
    ),
  ]
}

const reach = {
  loopback: 'from this machine',
  lan: 'from the local network',
  public: 'from anywhere',
} as const

function describeAddress({
  address,
  source,
  scope,
  transport,
}: Answer<'status'>['reachability']['addresses'][number]): string {
  return `${address}  ${source}, ${transport}, ${reach[scope]}`
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.length === 0
    ? [`${title}: none`]
    : [title, ...entries.map((entry) => `  ${entry}`)]
}
