import type { Command } from 'commander'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import { sleep, withTimeout } from '../../base/util/wait.ts'
import type { AbzuClient } from '../client/client.ts'
import type { Answer } from '../client/routes.ts'
import { describe } from './account-list.ts'
import { newCommand, wholeNumber } from './command.ts'
import type { CliContext } from './context.ts'

const pollMs = 50

/** `abzu status`: the node as it is. */
export function status(context: CliContext): Command {
  return newCommand('status', context)
    .description('Show the node, its accounts and its peers')
    .option(
      '--wait <seconds>',
      'wait for the daemon to answer',
      wholeNumber({ min: 0, max: 3600 }),
      0,
    )
    .action(async ({ wait }: { wait: number }) => {
      const node = await statusWithin(context, wait * 1000)
      await context.output.result(node, () => lines(node))
    })
}

/** @throws {AbzuError} ABZU_NO_DAEMON when the time is over */
async function statusWithin(context: CliContext, timeoutMs: number): Promise<Answer<'status'>> {
  const client = await context.client()
  if (timeoutMs === 0) return client.status()
  const { scheduler } = context.io
  try {
    return await withTimeout(scheduler, { timeoutMs, what: 'the daemon' }, async (signal) => {
      for (;;) {
        const answer = await statusNow(client, signal)
        if (answer) return answer
        await sleep(scheduler, pollMs, signal)
      }
    })
  } catch (cause) {
    if (!isAbzuError(cause, 'ABZU_TIMEOUT')) throw cause
    throw new AbzuError('ABZU_NO_DAEMON', `no daemon answered within ${timeoutMs / 1000} s`, {
      cause,
    })
  }
}

/** Undefined where the daemon is not there yet, or going. */
async function statusNow(
  client: AbzuClient,
  signal: AbortSignal,
): Promise<Answer<'status'> | undefined> {
  try {
    return await client.status(signal)
  } catch (error) {
    if (isAbzuError(error, 'ABZU_NO_DAEMON') || isAbzuError(error, 'ABZU_CLOSED')) return undefined
    throw error
  }
}

function lines({ version, peerId, pid, addresses, accounts, peers }: Answer<'status'>): string[] {
  return [
    `Abzu ${version}, mesh address ${peerId}, process ${pid}`,
    ...section('listening on', addresses),
    ...section('accounts', accounts.map(describe)),
    ...section(
      'peers',
      peers.map((peer) => `${peer.peerId}  ${peer.direction}  ${peer.address}`),
    ),
  ]
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.length === 0
    ? [`${title}: none`]
    : [title, ...entries.map((entry) => `  ${entry}`)]
}
