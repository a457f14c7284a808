/** A box at somebody's home: a real daemon in a process of its own, used by the real command line. @module */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const bin = join(import.meta.dirname, '../../bin/abzu.js')
const commandMsMax = 60_000
const password = 'a password of the demo'

/** What a command printed with --json. */
type Answer = Record<string, unknown>

export class Box {
  readonly name: string
  readonly #home: string
  #child: ChildProcess | undefined
  #port = 0

  /** @param dir where its directory is made */
  constructor(dir: string, name: string) {
    this.name = name
    this.#home = join(dir, name)
  }

  /** Starts the daemon, at the port that it had. */
  async start(): Promise<void> {
    mkdirSync(this.#home, { recursive: true, mode: 0o700 })
    this.file('password', password)
    this.file('config.json', JSON.stringify({ nodeName: this.name, lan: false }))
    const args = ['start', '--log-json', '--tcp', `127.0.0.1:${this.#port}`]
    const child = spawn(process.execPath, [bin, ...args], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#child = child
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const { addresses } = JSON.parse(line.toString()) as { addresses: string[] }
    this.#port = Number(addresses[0]?.split('/')[4])
  }

  /** A file in its directory, for its owner only; returns the path. */
  file(name: string, text: string): string {
    const path = join(this.#home, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  get passwordFile(): string {
    return join(this.#home, 'password')
  }

  /** One command, with --json. Rejects with what it said on standard error where it fails. */
  async run(...args: string[]): Promise<Answer> {
    const lines = await this.lines(...args)
    return lines[0] ?? {}
  }

  /** The same of a command that prints a line each. */
  async lines(...args: string[]): Promise<Answer[]> {
    const child = spawn(process.execPath, [bin, ...args, '--json'], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: commandMsMax,
    })
    const [out, err] = [text(child.stdout), text(child.stderr)]
    const [code] = (await once(child, 'close')) as [number | null]
    if (code !== 0) throw new Error(`${this.name}: abzu ${args.join(' ')}: ${await err}`)
    const printed = (await out).trim()
    return printed === '' ? [] : printed.split('\n').map((line) => JSON.parse(line) as Answer)
  }

  /** As a power cut. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    const { pid } = await this.run('status')
    process.kill(Number(pid), 'SIGKILL')
    await gone
  }

  /** As a fire: the disk is gone too. */
  async destroy(): Promise<void> {
    await this.kill()
    rmSync(this.#home, { recursive: true, force: true })
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, ABZU_HOME: this.#home }
  }
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += String(chunk)
  return all
}
