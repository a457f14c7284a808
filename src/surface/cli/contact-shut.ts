import type { Command } from 'commander'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu contact shut`: one link works no more. */
export function contactShut(context: CliContext): Command {
  return withAccountOption(newCommand('shut', context))
    .description('Shut one link and no other; whom it brought stays')
    .argument('<link>', 'the link, or its id in `abzu contact links`')
    .action(async (link: string, { account }: { account?: string }) => {
      const shut = await (await clientOf(context, account)).shutLink(link)
      await context.output.result(shut, () => [`The link ${shut.id} works no more.`])
    })
}
