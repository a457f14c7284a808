import type { Command } from 'commander'
import { newCommand } from './command.ts'
import { expectYes } from './confirm.ts'
import type { CliContext } from './context.ts'

/** `abzu peer remove`: one node is a stranger again. */
export function peerRemove(context: CliContext): Command {
  return newCommand('remove', context)
    .description('Trust a node no more; the other side does the same for itself')
    .argument('<peer>', 'name or peer id')
    .option('--yes', 'do not ask')
    .action(async (name: string, { yes = false }: { readonly yes?: boolean }) => {
      const client = await context.daemon()
      if (!yes) await expectYes(context, `Trust ${name} no more?`)
      const peer = await client.removePeer(name)
      await context.output.result(peer, () => [`${peer.name} is trusted no more.`])
    })
}
