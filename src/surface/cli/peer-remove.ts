import type { Command } from 'commander'
import { newCommand } from './command.ts'
import { expectYes } from './confirm.ts'
import type { CliContext } from './context.ts'

interface RemoveOptions {
  readonly yes?: boolean
  readonly anyway?: boolean
}

/** `abzu peer remove`: one node is a stranger again. */
export function peerRemove(context: CliContext): Command {
  return newCommand('remove', context)
    .description(
      'Hand over what a node lacks, then trust it no more; the other side does the same for itself',
    )
    .argument('<peer>', 'name or peer id')
    .option('--yes', 'do not ask')
    .option('--anyway', 'also where it does not take what is held for it')
    .action(async (name: string, { yes = false, anyway = false }: RemoveOptions) => {
      const client = await context.daemon()
      if (!yes) await expectYes(context, `Trust ${name} no more?`)
      const peer = await client.removePeer(name, { anyway })
      await context.output.result(peer, () => [`${peer.name} is trusted no more.`])
    })
}
