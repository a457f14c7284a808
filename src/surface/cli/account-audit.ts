import type { Command } from 'commander'
import { auditLines } from './audit-lines.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu account audit`: who has looked at the account's messages. */
export function accountAudit(context: CliContext): Command {
  return withAccountOption(newCommand('audit', context))
    .description('Show who has looked at your messages, when, at what and why')
    .action(async ({ account }: { account?: string }) => {
      const audit = await (await clientOf(context, account)).audit()
      const lines = auditLines(audit)
      await context.output.result(audit, () => (lines.length > 0 ? lines : ['nobody has looked']))
    })
}
