/** The executable: on a new Node, on an old one with and without a newer beside it, and their signals. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import t from 'tap'

const root = join(import.meta.dirname, '..')

/** Says what it was started as; `start` stays until a signal. */
const fixtureMain = `
import { execSync } from 'node:child_process'
export async function main(args: string[]): Promise<number> {
  const report = {
    pid: process.pid,
    args,
    node: process.versions.node,
    flags: process.execArgv,
    umask: process.umask(),
    threads: process.env['UV_THREADPOOL_SIZE'],
    cores: execSync('ulimit -c').toString().trim(),
    variables: Object.keys(process.env).filter((name) => name.startsWith('ABZU_')),
    channel: process.channel !== undefined,
  }
  process.stdout.write(JSON.stringify(report) + '\\n')
  if (args[0] === 'throw') throw new Error('a bug')
  if (args[0] === 'die') process.kill(process.pid, 'SIGUSR2')
  if (args[0] !== 'start' && args[0] !== 'die') return Number(args[0] ?? 0)
  const alive = setInterval(() => {}, 1000)
  return new Promise((resolve) => {
    process.on('SIGTERM', () => {
      clearInterval(alive)
      resolve(7)
    })
  })
}
`

interface Report {
  pid: number
  args: string[]
  node: string
  flags: string[]
  umask: number
  threads: string
  cores: string
  variables: string[]
  channel: boolean
}

const pretendOld = `
Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } })
Object.defineProperty(process, 'version', { value: 'v20.1.0' })
Object.defineProperty(process, 'execPath', { value: __filename })
`

/** A package with the real executable and the fixture behind it, outside of this one's node_modules. */
function packageWith({ bundled }: { bundled: boolean }): string {
  const dir = mkdtempSync(join(tmpdir(), 'abzu-bin-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  mkdirSync(join(dir, 'bin'))
  copyFileSync(join(root, 'bin/abzu.js'), join(dir, 'bin/abzu.js'))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  writeFileSync(join(dir, 'pretend-old.cjs'), pretendOld)
  mkdirSync(join(dir, 'src/surface/cli'), { recursive: true })
  writeFileSync(join(dir, 'src/surface/cli/main.ts'), fixtureMain)
  if (bundled) {
    const node = join(dir, 'node_modules/node')
    mkdirSync(join(node, 'bin'), { recursive: true })
    copyFileSync(join(root, 'node_modules/node/package.json'), join(node, 'package.json'))
    symlinkSync(process.execPath, join(node, 'bin/node'))
  }
  return dir
}

interface Start {
  name: string
  node: string
  flags: (dir: string) => string[]
}

/** This Node told to be old, and a really old one where the machine has one. */
const oldNodes: Start[] = [
  {
    name: 'pretended',
    node: process.execPath,
    flags: (dir) => ['-r', join(dir, 'pretend-old.cjs')],
  },
]
for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
  const node = join(dir, 'node')
  if (!existsSync(node)) continue
  const version = spawnSync(node, ['-p', 'process.versions.node']).stdout.toString().trim()
  const isOld = Number(version.split('.')[0]) < 24
  if (isOld && !oldNodes.some((old) => old.name === version)) {
    oldNodes.push({ name: version, node, flags: () => [] })
  }
}

const newNode: Start = { name: 'new', node: process.execPath, flags: () => [] }
const environment = { PATH: dirname(process.execPath), NODE_OPTIONS: '' }

/** Starts the daemon fixture and waits until it has told about itself. */
async function started(
  dir: string,
  { node, flags }: Start,
  args: string[],
): Promise<{ child: ChildProcess; report: Report }> {
  const command = [node, ...flags(dir), join(dir, 'bin/abzu.js'), ...args]
  const child = spawn('/bin/sh', ['-c', 'ulimit -S -c unlimited; exec "$0" "$@"', ...command], {
    env: { ...environment, PATH: `${environment.PATH}${delimiter}/usr/bin` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  for await (const chunk of child.stdout) {
    said += String(chunk)
    if (said.includes('\n')) break
  }
  return { child, report: JSON.parse(said) as Report }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A dead child of this container's first process may stay as a zombie.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 200 && isAlive(pid); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return !isAlive(pid)
}

t.test('any Node since 12 can parse it', async (t) => {
  const source = readFileSync(join(root, 'bin/abzu.js'), 'utf8')
  t.notMatch(source, /\?\.|\?\?|^import |^export |\bnode:|\d_\d|#\w+ =/m)
})

for (const start of [newNode, ...oldNodes]) {
  t.test(`${start.name} Node`, async (t) => {
    const dir = packageWith({ bundled: true })
    const bin = join(dir, 'bin/abzu.js')
    const runOnce = (...args: string[]) =>
      spawnSync(start.node, [...start.flags(dir), bin, ...args], {
        env: environment,
        encoding: 'utf8',
      })

    const command = runOnce('3', 'x y', '--z')
    t.equal(command.status, 3, 'passes the exit code on')
    t.equal(command.stderr, '', 'warns of nothing')
    const report = JSON.parse(command.stdout) as Report
    t.equal(report.node, process.versions.node)
    t.strictSame(report.args, ['3', 'x y', '--z'])
    t.strictSame(report.flags, [])
    t.equal(report.umask, 0o077)
    t.equal(report.threads, '8')
    t.strictSame(report.variables, [], 'leaves no trace in the environment')

    t.equal(runOnce('die').signal, 'SIGUSR2', 'passes the terminating signal on')
    const broken = runOnce('throw')
    t.equal(broken.status, 70)
    t.match(broken.stderr, /a bug/)

    const daemon = await started(dir, start, ['start'])
    t.strictSame(daemon.report.flags, [
      '--disable-sigusr1',
      '--report-exclude-env',
      '--max-semi-space-size=4',
      '--heap-growing-percent=70',
    ])
    t.equal(daemon.report.cores, '0')
    t.equal(daemon.report.pid === daemon.child.pid, start === newNode, 'keeps its pid where it can')
    const exit = once(daemon.child, 'exit')
    daemon.child.kill('SIGTERM')
    t.strictSame(await exit, [7, null], 'SIGTERM reaches it')

    const orphan = await started(dir, start, ['start'])
    orphan.child.kill('SIGKILL')
    t.ok(await gone(orphan.report.pid), 'nothing outlives a kill -9')
  })
}

t.test('an old Node with no newer one beside it', async (t) => {
  const dir = packageWith({ bundled: false })
  const bin = join(dir, 'bin/abzu.js')
  for (const { node, flags, name } of oldNodes) {
    const told = spawnSync(node, [...flags(dir), bin, 'status'], {
      env: environment,
      encoding: 'utf8',
    })
    t.equal(told.status, 69, name)
    t.match(told.stderr, /^abzu: Node 24\.13 or newer is needed, this is v2\d.*nodejs\.org\n$/)
    const json = spawnSync(node, [...flags(dir), bin, 'status', '--json'], {
      env: environment,
      encoding: 'utf8',
    })
    t.match(JSON.parse(json.stderr), { error: { code: 'ABZU_NODE_TOO_OLD', message: /24\.13/ } })
  }
})
