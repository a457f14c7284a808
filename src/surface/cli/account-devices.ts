import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu account devices`: what may sign for the account. */
export function accountDevices(context: CliContext): Command {
  return withAccountOption(newCommand('devices', context))
    .description('List the devices that may sign for an account')
    .action(async ({ account }: { account?: string }) => {
      const devices = await (await clientOf(context, account)).devices()
      await context.output.result({ devices }, () =>
        devices.map(({ id, here }) => `${id}  ${here ? 'this node' : 'elsewhere'}`),
      )
    })
}
