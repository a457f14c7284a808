import type { Cancel } from './clock.ts'

/** Listeners by key; one call goes to all of a key. A listener must not throw. */
export class Listeners {
  readonly #listeners = new Map<string, Set<() => void>>()

  has(key: string): boolean {
    return this.#listeners.has(key)
  }

  /** Returns how to stop listening. */
  add(key: string, listener: () => void): Cancel {
    const listeners = this.#listeners.get(key) ?? new Set()
    this.#listeners.set(key, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(key) === listeners)
        this.#listeners.delete(key)
    }
  }

  tell(key: string): void {
    for (const listener of this.#listeners.get(key) ?? []) listener()
  }
}
