import { createHash } from 'node:crypto'

const linesKept = 400

/** What happened in a run, as one hash: two runs of a seed that differ in a single event or byte have
 *  different ones. The last lines are kept for whoever looks into a failure. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #lines: string[] = []
  /** Events so far. */
  count = 0

  /** An event, with the bytes that belong to it. */
  note(line: string, bytes?: Uint8Array): void {
    this.count++
    this.#hash.update(line)
    if (bytes) this.#hash.update(bytes)
    this.#lines.push(line)
    if (this.#lines.length > 2 * linesKept) this.#lines.splice(0, linesKept)
  }

  lines(): readonly string[] {
    return this.#lines.slice(-linesKept)
  }

  /** Of everything until now; call it once. */
  digest(): string {
    return this.#hash.digest('hex')
  }
}
