import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'

/** `abzu account list`: who lives on this node. */
export function accountList(context: CliContext): Command {
  return newCommand('list', context)
    .description('List the accounts of this node')
    .action(async () => {
      const { accounts } = await (await context.daemon()).status()
      await context.output.result({ accounts }, () =>
        accounts.length === 0
          ? ['no account yet: abzu account create <name>']
          : accounts.map(describe),
      )
    })
}

/** An account on one line. */
export function describe({
  id,
  name,
  role,
  locked,
  movedTo,
  isAnnounced,
  leavesAt,
}: Answer<'status'>['accounts'][number]): string {
  const here = locked ? 'locked' : 'unlocked'
  const elsewhere = isAnnounced ? `is to come from ${movedTo}` : `moved to ${movedTo}`
  const state = movedTo === undefined ? here : elsewhere
  const end = leavesAt === undefined ? '' : `, leaves on ${leavesAt.slice(0, 10)}`
  return `${name}  ${role}, ${state}${end}  ${id}`
}
