import type { Command } from 'commander'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'

/** `abzu metrics`: the node in numbers. */
export function metrics(context: CliContext): Command {
  return newCommand('metrics', context)
    .description('Show the node in numbers, as Prometheus reads them')
    .action(async () => {
      const text = await (await context.daemon()).metrics()
      await context.output.result({ metrics: text }, () => text.trimEnd().split('\n'))
    })
}
