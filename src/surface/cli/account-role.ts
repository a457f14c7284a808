import { Argument, type Command } from 'commander'
import { AbzuError } from '../../base/util/errors.ts'
import type { AbzuClient } from '../client/client.ts'
import type { Answer } from '../client/routes.ts'
import { newCommand, withAccountOption } from './command.ts'
import type { CliContext } from './context.ts'
import { clientOf, pickAccount } from './session.ts'

interface Options {
  readonly account?: string
  readonly from?: string
}

type Account = Answer<'growUp'>

/** `abzu account role`: an Adult becomes an Admin, an Admin or a Child an Adult. */
export function accountRole(context: CliContext): Command {
  return withAccountOption(newCommand('role', context))
    .description('Change what somebody may do here; the account is locked')
    .argument('<who>', 'name or id')
    .addArgument(new Argument('<role>', 'what to become').choices(['admin', 'adult']))
    .option('--from <time>', 'a Child may become an Adult by its own word from then on: 2027-03-01')
    .action(async (who: string, role: string, { account, from }: Options) => {
      const client = await clientOf(context, account)
      const { accounts } = await client.status()
      const told = await change(client, {
        who: pickAccount(accounts, who),
        self: pickAccount(accounts, account),
        role,
        at: timeOf(from),
      })
      await context.output.result(told, () => [describe(told)])
    })
}

interface Change {
  readonly who: Account
  readonly self: Account
  readonly role: string
  readonly at: string | undefined
}

/** A Child becomes an Adult by its own word, once an Admin has let it. */
async function change(client: AbzuClient, { who, self, role, at }: Change): Promise<Account> {
  if (role === 'admin') return client.makeAdmin(who.id)
  if (who.role !== 'child') return client.unmakeAdmin(who.id)
  if (who.id === self.id) return client.growUp()
  return client.letGrowUp(who.id, at === undefined ? {} : { at })
}

/** @throws {AbzuError} ABZU_INVALID_ARGUMENT */
function timeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const atMs = Date.parse(text)
  if (Number.isFinite(atMs)) return new Date(atMs).toISOString()
  throw new AbzuError('ABZU_INVALID_ARGUMENT', `${text} is no time: write 2027-03-01`)
}

function describe({ name, role, growsUpAt }: Account): string {
  if (growsUpAt === undefined) return `${name} is ${role}, and locked: unlock it again.`
  return `${name} may become an Adult from ${growsUpAt.slice(0, 10)} on: abzu account role ${name} adult --account ${name}`
}
