import type { Command } from 'commander'
import { AbzuError } from '../../base/util/errors.ts'
import { roles } from '../../user/household/role.ts'
import type { AbzuClient } from '../client/client.ts'
import type { Answer, Asked } from '../client/routes.ts'
import { formatByteCount } from './byte-count.ts'
import { newCommand, withActorOption } from './command.ts'
import type { CliContext } from './context.ts'
import { describeLimits, nodeWords, parseLimits, peerWords, personWords } from './limit-words.ts'
import { callerOf } from './session.ts'

interface Actor {
  readonly account?: string
}

/** `abzu limits`: what people may have and do, how much of it is used, and to change it. */
export function limits(context: CliContext): Command {
  const command = withActorOption(newCommand('limits', context))
    .description('Say what each person, the node and its peers may have and do, and use of it')
    .option('--own', 'only of the account that --account names')
    .addHelpText('after', '\nA rate shows how many of those that may come at once have just come.')
    .action(async ({ account, own }: Actor & { readonly own?: true }) => {
      const client = await callerOf(context, account)
      if (own) {
        const told = await client.ownLimits()
        return context.output.result(told, () => describePerson(told))
      }
      const told = await client.limits()
      return context.output.result(told, () => describeAll(told))
    })
  command.addCommand(limitsSet(context))
  return command
}

function limitsSet(context: CliContext): Command {
  return withActorOption(newCommand('set', context))
    .description('Set limits; they hold at once, and nothing that is stored goes')
    .argument(
      '<whom>',
      `an account, a role (${roles.join(', ')}), node, or a node it is paired with`,
    )
    .argument('<limits...>', 'such as sending=20/s mail-bytes=1GB; default takes back what was set')
    .addHelpText('after', help)
    .action(async (whom: string, texts: string[], { account }: Actor, command: Command) => {
      const actor = account ?? command.optsWithGlobals<Actor>().account
      const client = await callerOf(context, actor)
      const told = await client.changeLimits(await changeOf(client, whom, texts))
      await context.output.result(told, () => describeChanged(told))
    })
}

const help = `
Of a person or a role: sending, receiving, calls (rates); outbox-items, mail-items, vault-items; mail-bytes,
vault-bytes. Of the node: sending, receiving, calls, peer-sending, peer-receiving; household-bytes. Of another
node: quota-bytes. A rate is 20/s, or 20/s,200 where 200 may come at once. Who is called like a role, or like
an account, is named by the id.`

/** @throws {AbzuError} ABZU_INVALID_ARGUMENT, ABZU_NOT_FOUND */
async function changeOf(
  client: AbzuClient,
  whom: string,
  texts: readonly string[],
): Promise<Asked<'changeLimits'>['body']> {
  // the daemon checks each value by its own shape
  type Change<K extends string> = Extract<Asked<'changeLimits'>['body'], Record<K, unknown>>
  const person = () => parseLimits(personWords, texts) as Change<'account'>['limits']
  if (whom === 'node') {
    return { node: true, limits: parseLimits(nodeWords, texts) as Change<'node'>['limits'] }
  }
  const role = roles.find((known) => known === whom)
  if (role) return { role, limits: person() }
  const { accounts } = await client.status()
  const account = accounts.find(({ id, name }) => id === whom || name === whom)
  if (account) return { account: account.id, limits: person() }
  const peers = await client.trustedPeers()
  const peer = peers.find(({ peerId, name }) => peerId === whom || name === whom)
  if (!peer) throw new AbzuError('ABZU_NOT_FOUND', `${whom} is no account, role or peer`)
  const { quotaBytes } = parseLimits(peerWords, texts)
  if (typeof quotaBytes === 'number') return { peer: peer.peerId, limits: { quotaBytes } }
  throw new AbzuError('ABZU_INVALID_ARGUMENT', 'say how much, such as quota-bytes=5GB')
}

function describeAll({ people, peopleCount, roles: ofRoles, node, peers }: Answer<'limits'>) {
  const others = peopleCount - people.length
  return [
    ...people.flatMap(describePerson),
    ...(others > 0 ? [`and ${others} more`] : []),
    ...ofRoles.flatMap(describeRole),
    ...describeNode(node),
    ...peers.map(describePeer),
  ]
}

function describePerson(person: Answer<'ownLimits'>): string[] {
  return [`${person.name}  ${person.role}`, ...describeLimits(personWords, person)]
}

function describeRole(told: Answer<'limits'>['roles'][number]): string[] {
  return [`every ${told.role}`, ...describeLimits(personWords, told)]
}

function describeNode(told: Answer<'limits'>['node']): string[] {
  return ['node, everybody together', ...describeLimits(nodeWords, told)]
}

function describePeer({ name, peerId, usedBytes, quotaBytes }: Answer<'limits'>['peers'][number]) {
  const use = `${formatByteCount(usedBytes)} of ${formatByteCount(quotaBytes)} kept for it`
  return `peer ${name}  ${use}  ${peerId}`
}

function describeChanged(told: Answer<'changeLimits'>): string[] {
  if ('peerId' in told) return [describePeer(told)]
  if ('id' in told) return describePerson(told)
  return 'role' in told ? describeRole(told) : describeNode(told)
}
