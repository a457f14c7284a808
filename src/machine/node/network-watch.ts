/** Notices when the machine gets or loses a network: nobody else tells a program. @module */

import type { Cancel, Scheduler } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'

export interface NetworkWatchDeps {
  /** Every address of every interface now. */
  readonly interfaces: () => readonly string[]
  readonly scheduler: Pick<Scheduler, 'after'>
  readonly log: Log
}

const lookEveryMs = 5000

export class NetworkWatch {
  readonly #deps: NetworkWatchDeps
  readonly #listeners = new Set<() => void>()
  #seen: string
  #cancel: Cancel

  constructor(deps: NetworkWatchDeps) {
    this.#deps = deps
    this.#seen = this.#look()
    this.#cancel = this.#again()
  }

  /** Calls `listener` after each change, in the order of the calls of this. */
  watch(listener: () => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#cancel()
    this.#listeners.clear()
  }

  #again(): Cancel {
    return this.#deps.scheduler.after(lookEveryMs, () => {
      this.#compare()
      this.#cancel = this.#again()
    })
  }

  #compare(): void {
    const { log } = this.#deps
    const now = this.#look()
    if (now === this.#seen) return
    this.#seen = now
    log.info('network-changed', { addresses: now === '' ? 0 : now.split(' ').length })
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch (error) {
        log.error('network-listener-failed', { error: toAbzuError(error) })
      }
    }
  }

  /** The set as one text. */
  #look(): string {
    return [...new Set(this.#deps.interfaces())].toSorted().join(' ')
  }
}
