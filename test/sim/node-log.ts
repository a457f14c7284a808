import { isAbzuError } from '../../src/base/util/errors.ts'
import type { Log, LogFields } from '../../src/base/util/log.ts'
import type { Trace } from './trace.ts'

/** Events by which a node says that something stored is not what was written. */
const damageEvents = new Set([
  'store-changed-while-closed',
  'journal-damaged',
  'mail-damaged',
  'store-unreadable',
  'letter-unreadable',
  'vault-slot-unreadable',
  'vault-entry-unreadable',
  'account-row-unreadable',
  'message-unreadable',
  'expiry-row-damaged',
  'sync-cursor-unreadable',
])

/** What one machine has said, over all its starts. */
export class NodeLog {
  readonly #trace: Trace
  readonly #name: string
  /** What the node said of damage, and of commits that are gone. */
  readonly damage: string[] = []
  /** Errors that are a bug of ours. */
  readonly bugs: string[] = []
  /** Slots of vaults that did not open. */
  slotsUnreadable = 0

  constructor(trace: Trace, name: string) {
    this.#trace = trace
    this.#name = name
  }

  /** The log of a start. */
  open(): Log {
    const line =
      (level: 'debug' | 'info' | 'warn' | 'error') =>
      (event: string, fields: LogFields = {}): void => {
        this.#take(level, event, fields)
      }
    return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  }

  /** Something failed with an error that a node would show its owner. */
  failed(what: string, error: unknown): void {
    this.#trace.note(`${this.#name} ${what}: ${String(error)}`)
    if (isAbzuError(error, 'ABZU_STORE_DAMAGED')) this.damage.push(what)
    if (isBug(error)) {
      this.bugs.push(`${what}: ${describe(error)}`)
    }
  }

  #take(level: string, event: string, fields: LogFields): void {
    const { error } = fields
    const code = isAbzuError(error) ? ` ${error.code} ${error.message}` : ''
    if (level !== 'debug' || code !== '') {
      this.#trace.note(`${this.#name} ${level} ${event}${code}`)
    }
    const isUnsound = event === 'store-checked' && level === 'error'
    const isDamaged = isAbzuError(error, 'ABZU_STORE_DAMAGED')
    if (damageEvents.has(event) || isUnsound || isDamaged) this.damage.push(event)
    if (event === 'vault-slot-unreadable') this.slotsUnreadable++
    if (error !== undefined && isBug(error)) {
      this.bugs.push(`${event}: ${describe(error)}`)
    }
  }
}

/** What a peer told by a number that we do not know is no bug of ours, and has no cause. */
function isBug(error: unknown): boolean {
  if (!isAbzuError(error)) return true
  return error.code === 'ABZU_INTERNAL' && error.cause !== undefined
}

function describe(error: unknown): string {
  const texts: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    texts.push(cause.stack ?? cause.message)
  }
  return texts.join('\ncaused by ')
}
