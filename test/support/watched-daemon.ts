/** A daemon of which a test sees everything: what it says, how it was called, what its heap holds. @module */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { AbzuClient } from '../../src/surface/client/client.ts'
import type { Finding, CanaryScanner } from './canary-scan.ts'

const executable = new URL('../../bin/abzu.js', import.meta.url).pathname
const daemonFlags = [
  '--disable-sigusr1',
  '--report-exclude-env',
  '--max-semi-space-size=4',
  '--heap-growing-percent=70',
]

export class WatchedDaemon {
  readonly home: string
  readonly #root: string
  readonly #said: Buffer[] = []
  #child: ChildProcess | undefined

  /** Ends with the test, and its directory with it. */
  static async make(t: Pick<Test, 'teardown'>): Promise<WatchedDaemon> {
    const root = await mkdtemp(join(tmpdir(), 'abzu-watched-'))
    const daemon = new WatchedDaemon(root)
    t.teardown(async () => {
      await daemon.stop()
      await rm(root, { recursive: true, force: true })
    })
    await mkdir(daemon.home, { mode: 0o700 })
    const config = JSON.stringify({ lan: false, logLevel: 'debug' })
    await writeFile(join(daemon.home, 'config.json'), config, { mode: 0o600 })
    return daemon
  }

  private constructor(root: string) {
    this.#root = root
    this.home = join(root, 'home')
  }

  get client(): AbzuClient {
    return new AbzuClient({ socketPath: join(this.home, 'api.sock'), timeoutMs: 120_000 })
  }

  async start(): Promise<void> {
    const snapshots = ['--heapsnapshot-signal=SIGUSR2', `--diagnostic-dir=${this.#root}`]
    const args = [executable, 'start', '--tcp', '127.0.0.1:0', '--log-json']
    const child = spawn(process.execPath, [...daemonFlags, ...snapshots, ...args], {
      env: { ...process.env, ABZU_HOME: this.home },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => this.#said.push(bytes))
    }
    await once(child.stdout, 'data')
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await gone
  }

  /** Looks for canaries in all that the daemon has left so far and holds now. Garbage is collected before. */
  async scan(scanner: CanaryScanner): Promise<Finding[]> {
    const { pid } = this.#running
    const [argv, environment] = await Promise.all([
      readFile(`/proc/${pid}/cmdline`),
      readFile(`/proc/${pid}/environ`),
    ])
    if (argv.length === 0 || this.#said.length === 0) throw new Error('nothing to scan')
    return [
      ...scanner.scan(argv, 'argv'),
      ...scanner.scan(environment, 'environment'),
      ...scanner.scan(Buffer.concat(this.#said), 'log'),
      ...scanner.scan(await this.#snapshot(), 'heap'),
      ...(await scanner.scanDirectory(this.home)),
    ]
  }

  get #running(): ChildProcess {
    if (!this.#child) throw new Error('the daemon was not started')
    return this.#child
  }

  async #snapshot(): Promise<Buffer> {
    this.#running.kill('SIGUSR2')
    // its last bytes come last
    for (let tries = 0; tries < 600; tries++) {
      await pause(100)
      const [file] = (await readdir(this.#root)).filter((name) => name.endsWith('.heapsnapshot'))
      if (file === undefined) continue
      const bytes = await readFile(join(this.#root, file))
      if (!bytes.subarray(-16).includes(']}')) continue
      await rm(join(this.#root, file))
      return bytes
    }
    throw new Error('no heap snapshot was written')
  }
}
