/** Runs the command line as a person or a program would. @module */

import { spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { foregroundScheduler } from '../../src/base/util/system-time.ts'
import { runCli } from '../../src/surface/cli/run.ts'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export const bin = join(import.meta.dirname, '../../bin/abzu.js')

/** In this process, with `stdin` as what is piped in. */
export async function abzu(
  env: { readonly ABZU_HOME: string },
  args: readonly string[],
  stdin: string | Uint8Array = '',
): Promise<Ended> {
  const stdout = new Sink()
  const stderr = new Sink()
  const code = await runCli(args, {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout,
    stderr,
    env,
    scheduler: foregroundScheduler,
    patienceMs: 0,
  })
  return { code, stdout: stdout.text, stderr: stderr.text }
}

/** In a process of its own, through `bin/abzu.js`. */
export function spawnAbzu(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  options: SpawnOptions = {},
) {
  const child = spawn(process.execPath, [bin, ...args], {
    ...options,
    env: { PATH: process.env['PATH'], ...env },
    stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
  })
  const ended = (async (): Promise<Ended> => {
    const [stdout, stderr, [code]] = await Promise.all([
      child.stdout ? text(child.stdout) : '',
      child.stderr ? text(child.stderr) : '',
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { code: code ?? -1, stdout, stderr }
  })()
  return { child, ended }
}

class Sink extends Writable {
  #chunks: Uint8Array[] = []

  get text(): string {
    return Buffer.concat(this.#chunks).toString()
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk)
    done()
  }
}
