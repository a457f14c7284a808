import type { Command } from 'commander'
import type { Answer } from '../client/routes.ts'
import { newCommand, newGroup } from './command.ts'
import type { CliContext } from './context.ts'
import { oversightInspect } from './oversight-inspect.ts'
import { grownUpOf } from './session.ts'

interface Actor {
  readonly account?: string
}

type Child = Answer<'child'>

/** `abzu oversight`: what the Admins and Adults of a household decide for its Children. */
export function oversight(context: CliContext): Command {
  return newGroup('oversight', context, {
    description: 'Look after the Children of this household',
    commands: [
      list,
      decision({ name: 'approve', state: 'approved', told: 'may write to each other now' }),
      decision({ name: 'deny', state: 'denied', told: 'may not write to each other' }),
      hours,
      freezing({ name: 'freeze', frozen: true }),
      freezing({ name: 'thaw', frozen: false }),
      oversightInspect,
    ],
  })
}

/** Who looks after a Child is an Admin or an Adult. */
function acting(command: Command): Command {
  return command.option(
    '--account <name>',
    'act as this Admin or Adult, by name or id; the only one who is unlocked here where left out',
  )
}

function list(context: CliContext): Command {
  return acting(newCommand('list', context))
    .description('List what is decided for the Children, and whom they ask to write with')
    .argument('[child]', 'name or id; all of them where left out')
    .action(async (child: string | undefined, { account }: Actor) => {
      const client = await grownUpOf(context, account)
      const children = child === undefined ? await client.children() : [await client.child(child)]
      await context.output.result({ children }, () =>
        children.length === 0
          ? ['no child here: abzu invite child']
          : children.flatMap((one) => describe(one)),
      )
    })
}

function decision(init: { name: string; state: 'approved' | 'denied'; told: string }) {
  return (context: CliContext): Command =>
    acting(newCommand(init.name, context))
      .description(
        init.state === 'approved'
          ? 'Let letters pass between a Child and a contact, both ways'
          : 'Let no letters pass between a Child and a contact',
      )
      .argument('<child>', 'name or id')
      .argument('<contact>', 'its address, or what the Child calls it in `abzu oversight list`')
      .action(async (child: string, contact: string, { account }: Actor) => {
        const client = await grownUpOf(context, account)
        const decided = await client.decideContact(child, { contact, state: init.state })
        await context.output.result(decided, () => [`${child} and ${who(decided)} ${init.told}.`])
      })
}

function hours(context: CliContext): Command {
  return acting(newCommand('hours', context))
    .description('Set when a Child may write; quiet outside')
    .argument('<child>', 'name or id')
    .argument('<hours>', 'such as 07:00-20:00, where the node stands; off to let it always write')
    .action(async (child: string, typed: string, { account }: Actor) => {
      const client = await grownUpOf(context, account)
      const told = await client.ruleChild(child, { hours: typed === 'off' ? null : typed })
      await context.output.result(told, () => [headOf(told)])
    })
}

function freezing(init: { name: string; frozen: boolean }) {
  return (context: CliContext): Command =>
    acting(newCommand(init.name, context))
      .description(
        init.frozen
          ? 'Let a Child send nothing, and keep for later what arrives'
          : 'Let a Child write again, and show what arrived meanwhile',
      )
      .argument('<child>', 'name or id')
      .action(async (child: string, { account }: Actor) => {
        const client = await grownUpOf(context, account)
        const told = await client.ruleChild(child, { frozen: init.frozen })
        await context.output.result(told, () => [headOf(told)])
      })
}

function describe(child: Child): string[] {
  return [headOf(child), ...child.contacts.map((contact) => `  ${contactLine(contact)}`)]
}

function headOf({ name, hours, zone, quiet, frozen }: Child): string {
  const when = hours === undefined ? 'may always write' : `may write ${hours} (${zone})`
  const now = quiet ? ', quiet now' : ''
  return `${name}  ${when}${now}${frozen ? `, frozen since ${frozen.since}` : ''}`
}

function contactLine(contact: Child['contacts'][number]): string {
  const address = contact.address === undefined ? '' : `  ${contact.address}`
  const state = contact.state === 'pending' ? 'asks to write with' : contact.state
  return `${contact.id}  ${state}  ${who(contact)}${address}`
}

function who({ name, address, id }: Child['contacts'][number]): string {
  return name ?? address ?? id
}
