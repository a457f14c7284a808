import type { Cancel } from './clock.ts'

/** Who wants to know of every one of something. A watcher must not throw. */
export class Watchers<T> {
  readonly #watchers = new Set<(one: T) => void>()

  add(watcher: (one: T) => void): Cancel {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  tell(one: T): void {
    for (const watcher of this.#watchers) watcher(one)
  }
}
