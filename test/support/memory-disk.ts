import { AbzuError } from '../../src/base/util/errors.ts'

/** A disk that fails at one of its writes, and at everything after that until it is revived. */
export class MemoryDisk {
  /** Writes since the start or the last `failAt`. */
  writes = 0
  #failing: { write: number; when: 'before' | 'after' } | undefined
  #isDead = false

  /** The `write`th write from now fails, counted from 1: before or after it took effect. */
  failAt(write: number, when: 'before' | 'after'): void {
    this.writes = 0
    this.#failing = { write, when }
  }

  revive(): void {
    this.#failing = undefined
    this.#isDead = false
  }

  get hasFailed(): boolean {
    return this.#isDead
  }

  async write<T>(effect: () => T): Promise<T> {
    await turn()
    this.expectAlive()
    this.writes++
    const isFailing = this.writes === this.#failing?.write
    if (isFailing) this.#isDead = true
    if (isFailing && this.#failing?.when === 'before') this.expectAlive()
    const result = effect()
    this.expectAlive()
    return result
  }

  expectAlive(): void {
    if (this.#isDead) throw new AbzuError('ABZU_STORE_FAILED', 'the disk failed')
  }
}

/** Lets the event loop turn once. */
export async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
