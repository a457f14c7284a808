import type { Command } from 'commander'
import { examineHome } from '../../base/health/node-home.ts'
import type { Finding } from '../../base/health/finding.ts'
import { isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'

interface Options {
  readonly verify?: boolean
  readonly confirmTime?: boolean
}

/** Something is wrong. Worse than any note, and no failure of the command. */
const exitCodeTrouble = 1

/** `abzu doctor`: what is wrong with the node, what that means and what to do. */
export function doctor(context: CliContext): Command {
  return newCommand('doctor', context)
    .description(
      'Look for what is wrong, with the daemon or without; exit code 1 where something is',
    )
    .option('--verify', 'also check every row of the store, which takes a while')
    .option('--confirm-time', 'say that the clock of this machine is right, after it jumped')
    .action(async (options: Options) => {
      const findings = await examine(context, options)
      const isWell = findings.every(({ severity }) => severity === 'ok' || severity === 'note')
      await context.output.result({ ok: isWell, findings }, () => findings.flatMap(describe))
      if (!isWell) context.exitCode = exitCodeTrouble
    })
}

async function examine(context: CliContext, options: Options): Promise<Finding[]> {
  const settings = await examineSettings(context)
  try {
    const client = await context.client()
    if (options.confirmTime) await client.confirmTime()
    const { findings } = await client.doctor()
    const verified = options.verify ? (await client.verifyStore()).findings : []
    return [...settings, ...findings, ...verified]
  } catch (error) {
    const { code, message } = toAbzuError(error)
    if (options.verify || options.confirmTime || !isDown(error)) throw error
    const { home } = await context.paths()
    return [
      ...settings,
      ...(await examineHome(home)),
      {
        check: 'daemon',
        severity: 'error',
        found: code === 'ABZU_NO_DAEMON' ? 'no daemon runs on this ABZU_HOME' : message,
        means: 'nothing is delivered, in or out',
        remedy: 'abzu start',
      },
    ]
  }
}

/** A daemon that does not answer is itself what is wrong. */
function isDown(error: unknown): boolean {
  return (['ABZU_NO_DAEMON', 'ABZU_DENIED', 'ABZU_TIMEOUT', 'ABZU_CLOSED'] as const).some((code) =>
    isAbzuError(error, code),
  )
}

/** What is set is read anew: a daemon that runs read it when it started. */
async function examineSettings({ io }: CliContext): Promise<Finding[]> {
  const { loadConfig } = await import('../../config.ts')
  try {
    await loadConfig({ flags: {}, env: io.env })
    return [{ check: 'config', severity: 'ok', found: 'config.json can be used' }]
  } catch (error) {
    const { message: found } = toAbzuError(error)
    const means = 'the daemon does not start with it'
    return [{ check: 'config', severity: 'error', found, means, remedy: 'correct config.json' }]
  }
}

function describe({ check, severity, found, means, remedy }: Finding): string[] {
  return [
    `${severity.padEnd(7)}  ${check}: ${found}`,
    ...(means === undefined ? [] : [`         means: ${means}`]),
    ...(remedy === undefined ? [] : [`         do: ${remedy}`]),
  ]
}
