import type { Command } from 'commander'
import { AbzuError } from '../../base/util/errors.ts'
import { foldedName } from '../../base/util/folded-name.ts'
import type { AbzuClient } from '../client/client.ts'
import type { Answer } from '../client/routes.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

interface Options {
  readonly account?: string
  readonly add?: string
  readonly remove?: string
  readonly default?: boolean
}

type Holders = Answer<'holders'>
type Peers = Answer<'trustedPeers'>['peers']

/** `abzu account holders`: which of the paired nodes hold an account's mailbox. */
export function accountHolders(context: CliContext): Command {
  return withAccountOption(newCommand('holders', context))
    .description("Say, or choose, which of the paired nodes keep copies of an account's mailbox")
    .option('--add <peer>', 'let this node keep copies, by name or peer id')
    .option('--remove <peer>', 'let this node keep copies no more: it hands over what it has')
    .option('--default', 'let all that agree keep copies, now and later')
    .action(async (options: Options) => {
      const client = await clientOf(context, options.account)
      const peers = await client.trustedPeers()
      const holders = await changed(client, peers, options)
      const nameOf = (peerId: string) => peers.find((peer) => peer.peerId === peerId)?.name ?? null
      const named = holders.holders.map((host) => ({ ...host, name: nameOf(host.peerId) }))
      await context.output.result({ chosen: holders.chosen, holders: named }, () => [
        holders.chosen ? 'As chosen:' : 'All that agree:',
        ...named.map(({ name, peerId, role }) => `  ${name ?? '-'}  ${told[role]}  ${peerId}`),
        ...(named.some(({ role }) => role === 'replica') ? [] : ['  nobody keeps copies']),
      ])
    })
}

const told: Readonly<Record<Holders['holders'][number]['role'], string>> = {
  home: 'the home',
  replica: 'keeps copies',
  former: 'did, and hands over what it has',
}

async function changed(
  client: AbzuClient,
  peers: Peers,
  { add, remove, ...options }: Options,
): Promise<Holders> {
  const changes = [add, remove, options.default].filter((change) => change !== undefined)
  if (changes.length > 1) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'say one of --add, --remove and --default')
  }
  if (options.default) return client.chooseHolders(null)
  const { holders } = await client.holders()
  const now = holders.filter(({ role }) => role === 'replica').map(({ peerId }) => peerId)
  if (add !== undefined) return client.chooseHolders([...new Set([...now, peerOf(peers, add)])])
  if (remove === undefined) return client.holders()
  const left = now.includes(remove) ? remove : peerOf(peers, remove)
  return client.chooseHolders(now.filter((peerId) => peerId !== left))
}

/** @throws {AbzuError} ABZU_NOT_FOUND */
function peerOf(peers: Peers, nameOrId: string): string {
  const folded = foldedName(nameOrId)
  const peer = peers.find(({ peerId, name }) => peerId === nameOrId || foldedName(name) === folded)
  if (!peer) throw new AbzuError('ABZU_NOT_FOUND', `no paired node is called ${nameOrId}`)
  return peer.peerId
}
