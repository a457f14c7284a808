import type { Writable } from 'node:stream'
import { isAbzuError, type AbzuError } from '../../base/util/errors.ts'
import { inertText } from '../../base/util/inert-text.ts'
import { inertJson } from './inert-json.ts'

export interface OutputInit {
  readonly stdout: Writable
  readonly stderr: Writable & { readonly isTTY?: boolean }
  /** Whether programs read: results and errors are then JSON, one line each. */
  readonly json: boolean
}

/** The only way to the terminal: whatever passes is made inert here, so that no command can forget. */
export class Output {
  readonly json: boolean
  readonly #stdout: Writable
  readonly #stderr: Writable
  readonly #isWatched: boolean
  #readerLeft = false

  constructor({ stdout, stderr, json }: OutputInit) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.json = json
    this.#isWatched = !json && stderr.isTTY === true
    // a reader that leaves, such as head(1), is no failure
    stdout.on('error', () => (this.#readerLeft = true))
    stderr.on('error', () => {})
  }

  /** Nobody reads stdout any more. */
  get readerLeft(): boolean {
    return this.#readerLeft
  }

  /** Prints a result: `value` for programs, `lines` for people. Resolves when it is written. */
  async result(value: unknown, lines: () => readonly string[]): Promise<void> {
    await (this.json ? this.value(value) : this.lines(lines()))
  }

  /** Prints one line of JSON. */
  async value(value: unknown): Promise<void> {
    await write(this.#stdout, inertJson(value))
  }

  /** Prints lines for people; a line feed inside one does not begin another. */
  async lines(lines: readonly string[]): Promise<void> {
    await write(this.#stdout, inertLines(lines))
  }

  /** Says something beside the result. Programs are not told. */
  async note(...lines: readonly string[]): Promise<void> {
    if (!this.json && lines.length > 0) await write(this.#stderr, inertLines(lines))
  }

  /** Replaces the last line of progress, where a person looks on at a terminal; an empty one takes it away. */
  async progress(line: string): Promise<void> {
    if (!this.#isWatched) return
    const end = line === '' ? '' : '\r'
    await new Promise<void>((resolve) => {
      this.#stderr.write(`\r\u001B[K${inertLines([line])}${end}`, () => resolve())
    })
  }

  /** Says why the command failed, and of a bug where. */
  async error(error: AbzuError): Promise<void> {
    const { code, message } = error
    if (this.json) return write(this.#stderr, inertJson({ error: { code, message } }))
    const lines = [`abzu: ${message} (${code})`]
    if (isAbzuError(error, 'ABZU_INTERNAL') && error.cause instanceof Error) {
      lines.push(...(error.cause.stack ?? error.cause.message).split('\n'))
    }
    await write(this.#stderr, inertLines(lines))
  }
}

function inertLines(lines: readonly string[]): string {
  return lines.map((line) => inertText(line).replaceAll('\n', '<U+000A>')).join('\n')
}

/** Resolves when the text is handed over, or its reader has left. */
function write(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(`${text}\n`, () => resolve())
  })
}
