import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { auditLines } from './audit-lines.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu inbox`: what the account received. */
export function inbox(context: CliContext): Command {
  return withAccountOption(newCommand('inbox', context))
    .description('Show what was received, oldest first; with --json one line a message')
    .action(async ({ account }: { account?: string }) => {
      const { output } = context
      const noticed = new Set<string>()
      const client = await clientOf(context, account)
      await output.note(...auditLines(await client.audit()))
      for await (const message of client.inbox()) {
        const { from, name, keysChangedAt } = message
        const isNews = keysChangedAt !== undefined && !noticed.has(from)
        noticed.add(from)
        await output.result(message, () => [
          ...(isNews ? [`${name}'s keys changed ${keysChangedAt}: abzu contact verify`] : []),
          ...describe(message),
        ])
        if (output.readerLeft) break
      }
    })
}

/** Only the first line says who wrote: every line of the text stands behind a bar. */
function describe({
  name,
  from,
  sentAt,
  verified,
  request,
  text,
  msgId,
}: Answer<'inbox'>): string[] {
  const who = request
    ? `${name} asks to be added (${from})`
    : `${name}${verified ? ' (verified)' : ''}`
  const when = sentAt.replace('T', ' ').replace(/:\d\d(\.\d+)?Z$/, ' UTC')
  return [`${when}  ${who}  ${msgId}`, ...text.split('\n').map((line) => `  | ${line}`)]
}
