#!/usr/bin/env node
/*
 * Starts Abzu on a Node that is new enough: this one, or the one that came with `npm ci`. An old Node has to
 * parse this file, so it imports only inside functions and uses no syntax younger than 2018.
 */

const nodeNeeded = [24, 13]
const exitCodes = { noDaemonOrOldNode: 69, internal: 70 }

/** Read by glibc as a program starts. Left to itself, it keeps what loading the code took, 50 MB, for later, and as much
    again in a heap of their own for each of the threads that write to the disk. */
const allocator = { MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_ARENA_MAX: '2' }

/** Tells the Node that was handed over to whose child it is: it must not outlive its parent. */
const parentVariable = 'ABZU_PARENT_PID'

/** For the daemon: no inspector by signal, no environment in a crash report, a small nursery, which is 20 MB less
    at rest, and a heap that is cleaned before it is twice as large, which is 60 MB less under load. */
const daemonFlags = [
  '--disable-sigusr1',
  '--report-exclude-env',
  '--max-semi-space-size=4',
  '--heap-growing-percent=70',
]

/** Runs "$@" in its place, without core dumps: they would hold keys. */
const withoutCoreDumps = 'ulimit -c 0; exec "$0" "$@"'

const args = process.argv.slice(2)
const isDaemon = args.indexOf('start') !== -1

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > nodeNeeded[0] || (major === nodeNeeded[0] && minor >= nodeNeeded[1])
}

function refuse(code, message, exitCode) {
  const told = args.indexOf('--json') !== -1
  const line = told
    ? JSON.stringify({ error: { code: code, message: message } })
    : `abzu: ${message}`
  process.stderr.write(`${line}\n`)
  process.exitCode = exitCode
}

/** The program and arguments that run this file on `node`. */
function commandOn(node) {
  const script = process.argv[1]
  if (!isDaemon) return [node, [script].concat(args)]
  const daemon = [node].concat(daemonFlags, script, args)
  return ['/bin/sh', ['-c', withoutCoreDumps].concat(daemon)]
}

/** The newer Node that npm installed beside Abzu, or undefined. */
async function findBundledNode() {
  const fs = await import('fs')
  const { createRequire } = await import('module')
  const { dirname, join } = await import('path')
  try {
    const found = createRequire(import.meta.url).resolve('node/package.json')
    const node = fs.realpathSync(join(dirname(found), 'bin', 'node'))
    return node === fs.realpathSync(process.execPath) ? undefined : node
  } catch {
    return undefined
  }
}

/** Runs this file on `node` and behaves as that process does: signals go in, its end comes out. */
async function handOver(node) {
  const { spawn } = await import('child_process')
  const [program, programArgs] = commandOn(node)
  const env = Object.assign({}, process.env, { [parentVariable]: String(process.pid) })
  const child = spawn(program, programArgs, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env,
  })
  // A terminal sends SIGINT and SIGHUP to parent and child alike: passed on, they would come twice.
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.on('SIGINT', () => hasTerminal || child.kill('SIGINT'))
  process.on('SIGHUP', () => hasTerminal || child.kill('SIGHUP'))
  child.on('error', (error) => {
    refuse('ABZU_INTERNAL', `cannot run ${node}: ${error.message}`, exitCodes.internal)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exit(code)
    } else {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    }
  })
}

/** Ends this process at once when the one that handed over to it is gone: no daemon without its handle, and
 *  the store survives that as it survives a power cut. */
function dieWithParent() {
  const parent = process.env[parentVariable]
  delete process.env[parentVariable]
  if (parent === undefined) return
  const die = () => process.kill(process.pid, 'SIGKILL')
  if (parent !== String(process.ppid) || !process.connected) die()
  process.once('disconnect', die)
  process.channel.unref()
}

async function run() {
  dieWithParent()
  if (isDaemon && process.execArgv.indexOf(daemonFlags[0]) === -1) {
    if (!process.execve) return handOver(process.execPath)
    const [program, programArgs] = commandOn(process.execPath)
    process.execve(program, [program].concat(programArgs), process.env)
  }
  const { existsSync } = await import('fs')
  const { enableCompileCache } = await import('module')
  const { fileURLToPath } = await import('url')
  // Beside the code, never in a shared temporary directory: who may write there may change the code anyway.
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/abzu', import.meta.url)))
  const source = new URL('../src/surface/cli/main.ts', import.meta.url)
  const built = new URL('../dist/surface/cli/main.js', import.meta.url)
  const { main } = await import(existsSync(source) ? source : built)
  process.exitCode = await main(args)
}

async function start() {
  process.umask(0o077)
  process.env.UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || '8'
  for (const name of Object.keys(allocator))
    process.env[name] = process.env[name] || allocator[name]
  if (isNewEnough(process.versions.node)) return run()
  const node = await findBundledNode()
  if (node !== undefined) return handOver(node)
  const needed = nodeNeeded.join('.')
  const message = `Node ${needed} or newer is needed, this is ${process.version}; install it from https://nodejs.org`
  refuse('ABZU_NODE_TOO_OLD', message, exitCodes.noDaemonOrOldNode)
}

start().catch((error) => {
  refuse('ABZU_INTERNAL', (error && error.stack) || String(error), exitCodes.internal)
})
