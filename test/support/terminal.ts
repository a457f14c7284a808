import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { bin } from './cli.ts'

/** A command that waits for something else than the dialogue says is ended. */
const dialogueMsMax = 20_000
const script = '/usr/bin/script'

/** Why no test can have a terminal here; false where it can. */
export const noTerminal: string | false = (() => {
  try {
    accessSync(script, constants.X_OK)
    return false
  } catch {
    return 'script(1) of util-linux is not installed'
  }
})()

/** Runs `bin/abzu.js` at a pseudo-terminal. Each of `dialogue` waits until the screen shows its first
 *  text behind the last answer, then types its second. */
export async function atTerminal(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  dialogue: readonly (readonly [shown: RegExp, typed: string])[] = [],
): Promise<{ readonly code: number; readonly screen: string }> {
  const words = [process.execPath, bin, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
  const command = `stty cols 100 rows 30; exec ${words.join(' ')}`
  const child = spawn(script, ['-qefc', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: dialogueMsMax,
  })
  let screen = ''
  let answered = 0
  const waiting = [...dialogue]
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    screen += chunk
    const [next] = waiting
    if (next?.[0].test(screen.slice(answered))) {
      waiting.shift()
      answered = screen.length
      child.stdin.write(next[1])
    }
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, screen }
}
