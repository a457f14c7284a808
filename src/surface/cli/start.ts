import type { Command } from 'commander'
import { isAbzuError, toAbzuError, type AbzuError } from '../../base/util/errors.ts'
import type { Cancel, Scheduler } from '../../base/util/clock.ts'
import type { Log } from '../../base/util/log.ts'
import { systemClock } from '../../base/util/system-time.ts'
import { withTimeout } from '../../base/util/wait.ts'
import type { AbzuNode } from '../../compose/daemon.ts'
import type { Config } from '../../config.ts'
import { newCommand } from './command.ts'
import type { CliContext } from './context.ts'

interface Options {
  readonly tcp?: string[]
  readonly quic?: string[]
  readonly peer?: string[]
  /** False after `--no-lan`, else true: then the configuration says. */
  readonly lan: boolean
  readonly logJson?: boolean
}

/** Any time will do. */
const beatMs = 60_000
/** For everything to be closed in order. */
const closeMsMax = 10_000

/** `abzu start`: the daemon, in the foreground, until it is stopped. */
export function start(context: CliContext): Command {
  return newCommand('start', context)
    .description('Run the daemon until `abzu stop`, SIGTERM or Ctrl-C')
    .option('--tcp <host:port>', 'listen here by TCP; repeatable', collect)
    .option(
      '--quic <host:port>',
      'listen here by QUIC; repeatable. Without --tcp and --quic both listen at 0.0.0.0:4180; naming one leaves the other out',
      collect,
    )
    .option('--no-lan', 'no discovery on the local network: neither ask nor answer')
    .option('--peer <address>', 'keep a connection to this node, from now on; repeatable', collect)
    .option('--log-json', 'log JSON lines, and say on stdout when the daemon listens')
    .action(async ({ tcp, quic, peer, lan, logJson }: Options) => {
      const { loadConfig } = await import('../../config.ts')
      const flags = {
        tcp,
        quic,
        peers: peer,
        lan: lan ? undefined : false,
        logJson: logJson ?? context.output.json,
      }
      const config = await loadConfig({ flags, env: context.io.env })
      await stayAlive(context.io.scheduler, runDaemon(context, config))
    })
}

async function runDaemon(context: CliContext, config: Config): Promise<void> {
  const [{ startNode, realSystem }, { createDaemonLog }] = await Promise.all([
    import('../../compose/daemon.ts'),
    import('./daemon-log.ts'),
  ])
  const log = createDaemonLog({
    stream: context.io.stderr,
    clock: systemClock,
    level: config.logLevel,
    json: config.logJson,
  })
  const { reason, stop } = untilStopped(log)
  const node = await startNode(config, realSystem({ log, stop }))
  await announce(context, node, config)
  const failure = await Promise.race([reason, node.failed])
  await close(context, node, log)
  if (failure !== undefined) throw failure
}

/** Keeps the process alive until `work` has ended: the daemon's own timers do not. */
async function stayAlive(scheduler: Scheduler, work: Promise<void>): Promise<void> {
  let cancel: Cancel = () => {}
  const beat = () => {
    cancel = scheduler.after(beatMs, beat)
  }
  beat()
  try {
    await work
  } finally {
    cancel()
  }
}

/** Resolves when somebody stops the daemon, or with the bug that does. A second signal ends the
 *  process as it would any other. */
function untilStopped(log: Log) {
  const { promise: reason, resolve } = Promise.withResolvers<AbzuError | undefined>()
  const stop = () => resolve(undefined)
  process.once('SIGTERM', stop).once('SIGINT', stop).once('SIGHUP', stop)
  process.once('uncaughtException', (error) => {
    log.error('uncaught', { error })
    resolve(toAbzuError(error))
  })
  return { reason, stop }
}

async function close({ io }: CliContext, node: AbzuNode, log: Log): Promise<void> {
  const time = { timeoutMs: closeMsMax, what: 'closing' }
  try {
    await withTimeout(io.scheduler, time, () => node.close())
  } catch (error) {
    log.error('close-failed', { error: error as Error })
    if (!isAbzuError(error, 'ABZU_TIMEOUT')) throw error
    // what hangs would keep the process alive; the store survives this as it survives a power cut
    process.kill(process.pid, 'SIGKILL')
  }
}

async function announce({ output }: CliContext, node: AbzuNode, config: Config): Promise<void> {
  const { peerId, addresses } = node
  await output.result({ event: 'ready', peerId, addresses, pid: process.pid }, () => [
    `Abzu runs.  mesh address ${peerId}`,
    ...addresses.map((address) => `  listening on ${address}`),
    `  LAN discovery ${config.lan ? 'on; --no-lan switches it off' : 'off'}`,
    `  everything it keeps lies in ${config.home}`,
    '',
    'Next, in another terminal (in this folder `abzu` is `./bin/abzu.js`):',
    '  abzu account create <name>              an account of your own; write down its 24 words',
    '  abzu contact link                       a link for a friend, who gives you theirs',
    '  abzu contact add <link> --as <friend>',
    '  abzu send <friend> "hello"',
    '  abzu inbox',
  ])
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value]
}
