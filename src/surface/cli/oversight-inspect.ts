import type { Command } from 'commander'
import { AbzuError } from '../../base/util/errors.ts'
import type { Answer } from '../client/routes.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'
import { grownUpOf } from './session.ts'

interface Options {
  readonly account?: string
  readonly since: string
  readonly until?: string
  readonly reason: string
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `abzu oversight inspect`: an Admin looks at a Child's messages, and the Child learns of it. */
export function oversightInspect(context: CliContext): Command {
  return newCommand('inspect', context)
    .description(
      'Look at the messages of a Child; who, when, what and why stands in its audit first',
    )
    .argument('<child>', 'name or id')
    .option('--account <name>', 'act as this Admin; the only one unlocked here where left out')
    .requiredOption('--since <time>', 'such as 2d, 12h or 30m before now, or 2026-11-05T12:00:00Z')
    .option('--until <time>', 'the same; now where left out')
    .requiredOption('--reason <text>', 'why: the child reads it')
    .action(async (child: string, { account, since, until, reason }: Options) => {
      const client = await grownUpOf(context, account)
      const { systemClock } = await import('../../base/util/system-time.ts')
      const nowMs = systemClock.nowMs()
      const told = await client.inspectChild(child, {
        since: timeOf(since, nowMs),
        ...(until !== undefined && { until: timeOf(until, nowMs) }),
        reason,
      })
      await context.output.result(told, () => [
        `${child} is told that you looked at this, and why.`,
        ...told.messages.flatMap(describe),
        ...(told.more ? ['There are more in this range: ask for a part of it.'] : []),
      ])
    })
}

/** @throws {AbzuError} ABZU_INVALID_ARGUMENT */
function timeOf(typed: string, nowMs: number): string {
  const [, count = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(typed) ?? []
  const ms = unit === '' ? Date.parse(typed) : nowMs - Number(count) * (unitMs[unit] ?? 0)
  if (Number.isFinite(ms)) return new Date(Math.max(0, ms)).toISOString()
  throw new AbzuError('ABZU_INVALID_ARGUMENT', `${typed} is no time: 2d, 12h, 30m or ISO 8601`)
}

function describe(message: Answer<'inspectChild'>['messages'][number]): string[] {
  const who = message.name ?? message.with
  const head = `${message.at}  ${message.direction === 'in' ? `from ${who}` : `to ${who}`}`
  return [head, ...message.text.split('\n').map((line) => `  | ${line}`)]
}
