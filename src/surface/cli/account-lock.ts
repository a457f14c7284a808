import type { Command } from 'commander'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf, pickAccount, sessionFiles } from './session.ts'

/** `abzu account lock`: the account's keys leave the memory of the daemon. */
export function accountLock(context: CliContext): Command {
  return newCommand('lock', context)
    .description('Lock an account: its mail waits sealed until it is unlocked')
    .argument('[account]', 'name or id; the only one where left out')
    .action(async (nameOrId: string | undefined) => {
      const { accounts } = await (await context.daemon()).status()
      const { id, name, locked } = pickAccount(accounts, nameOrId)
      if (!locked) await (await clientOf(context, id)).lock()
      await (await sessionFiles(context)).remove(id)
      await context.output.result({ id, name, locked: true }, () => [`${name} is locked.`])
    })
}
