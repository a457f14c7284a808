/** What is decided for Children, in memory. @module */

import { AbzuError } from '../../src/base/util/errors.ts'
import type { ChildReport, OversightService } from '../../src/surface/api/services.ts'

const time = '2026-11-05T12:00:00.000Z'

export class FakeOversight implements OversightService {
  readonly #idOf: (nameOrId: string) => string
  readonly #rules = new Map<string, Partial<ChildReport>>()

  constructor(idOf: (nameOrId: string) => string) {
    this.#idOf = idOf
  }

  look = async ({ child = 'berta' }: Parameters<OversightService['look']>[0]) => [
    this.#report(child),
  ]

  decide = async ({ contact, state, by }: Parameters<OversightService['decide']>[0]) => {
    if (contact === 'nobody') throw new AbzuError('ABZU_NOT_FOUND', 'nobody of this name')
    return { id: '0'.repeat(16), name: contact, state, at: time, by }
  }

  rule = async ({ child, hours, frozen, by }: Parameters<OversightService['rule']>[0]) => {
    this.#rules.set(child, {
      ...(typeof hours === 'string' && { hours }),
      ...(frozen && { frozen: { since: time, by } }),
    })
    return this.#report(child)
  }

  /** Ids of those who were kept from looking. */
  readonly tried: string[] = []

  inspect = async ({ by, fromMs, untilMs, reason }: Parameters<OversightService['inspect']>[0]) => {
    const [from, until] = [new Date(fromMs).toISOString(), new Date(untilMs).toISOString()]
    const kind = 'inspected' as const
    const entry = { number: 1, kind, by, byName: 'anna', at: time, from, until, reason }
    const message = { direction: 'in' as const, with: by, at: time, text: 'hello' }
    return { entry, messages: [message], more: false }
  }

  refused = async ({ by }: { by: string }) => void this.tried.push(by)

  audit = async () => ({ entries: [], missing: 0 })

  #report(child: string): ChildReport {
    const contacts = [{ id: '0'.repeat(16), state: 'pending' as const, name: 'ben', at: time }]
    const rules = this.#rules.get(child)
    return { id: this.#idOf(child), name: child, zone: 'UTC', quiet: false, contacts, ...rules }
  }
}
