import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf } from './session.ts'

/** `abzu contact links`: the links that work. */
export function contactLinks(context: CliContext): Command {
  return withAccountOption(newCommand('links', context))
    .description('List the links by which others can write to this account')
    .action(async ({ account }: { account?: string }) => {
      const links = await (await clientOf(context, account)).links()
      await context.output.result({ links }, () =>
        links.length === 0 ? ['no link works: abzu contact link'] : links.map(describe),
      )
    })
}

function describe({ id, until, uses }: Answer<'shutLink'>): string {
  const letters = uses === undefined ? '' : `, ${uses} letters in all`
  return `${id}  until ${until.slice(0, 10)}${letters}`
}
