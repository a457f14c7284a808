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

  #report(child: string): ChildReport {
    const contacts = [{ id: '0'.repeat(16), state: 'pending' as const, name: 'ben', at: time }]
    const rules = this.#rules.get(child)
    return { id: this.#idOf(child), name: child, zone: 'UTC', quiet: false, contacts, ...rules }
  }
}
