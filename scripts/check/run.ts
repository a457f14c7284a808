import { spawn } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'
import type { Check, Outcome } from './judge.ts'

const root = join(import.meta.dirname, '../..')
const tools = join(root, 'node_modules/.bin')
/** The Node that runs this script also runs the tools. */
const path = [dirname(process.execPath), tools, process.env['PATH']].join(delimiter)

/** Of several hundred processes each would compile the same, and note for a coverage that nobody asked for which files it
 *  has loaded. */
const environment = {
  ...process.env,
  PATH: path,
  NO_COLOR: '1',
  NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/checks'),
  _TAPJS_PROCESSINFO_EXCLUDE_: '/./',
}

/** A command that takes longer is ended, and has failed. */
const commandMsMax = 20 * 60_000

function runCommand(command: readonly string[], live: boolean): Promise<Outcome> {
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: commandMsMax,
    })
    let output = ''
    const hear = (chunk: string): void => {
      output += chunk
      if (live) process.stdout.write(chunk)
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.on('error', reject)
    child.on('close', (code) => resolve({ exitCode: code ?? undefined, output }))
  })
}

/** Runs the check's commands until one fails; the outcome joins what they wrote. */
export async function run(check: Check): Promise<Outcome> {
  let output = ''
  for (const command of check.commands) {
    const outcome = await runCommand(command, check.live ?? false)
    output += outcome.output
    if (outcome.exitCode !== 0) return { exitCode: outcome.exitCode, output }
  }
  return { exitCode: 0, output }
}
