import { unverifiedRecord, verifyMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { mapKey } from '../../src/base/util/bytes.ts'
import { isAbzuError } from '../../src/base/util/errors.ts'
import type { Person } from './people.ts'
import type { SimNode } from './sim-node.ts'

/** Every mailbox record that was seen in a run, and the newest that each node had. */
export class RecordBook {
  /** Sound, whatever the nodes use. */
  readonly #platform: CryptoPlatform
  readonly #seen = new Map<Person, Map<string, Uint8Array>>()
  readonly #newest = new Map<SimNode, Map<Person, { seq: number; losses: number }>>()

  constructor(platform: CryptoPlatform) {
    this.#platform = platform
  }

  /** Takes a look at a node; what is wrong with it, if anything is. */
  note(node: SimNode, person: Person, signed: Uint8Array): string | undefined {
    const { seq } = unverifiedRecord(signed)
    const seen = this.#seen.get(person) ?? new Map<string, Uint8Array>()
    if (!seen.has(mapKey(signed)) && !this.#isSigned(signed)) {
      return `I7: ${node.name} has a record ${seq} of ${person.name} that nobody signed`
    }
    this.#seen.set(person, seen.set(mapKey(signed), signed))
    const ofNode = this.#newest.get(node) ?? new Map<Person, { seq: number; losses: number }>()
    this.#newest.set(node, ofNode)
    const before = ofNode.get(person)
    const losses = node.losses.length
    ofNode.set(person, { seq, losses })
    if (!before || before.losses !== losses || before.seq <= seq) return undefined
    return `I8: ${node.name} has gone from record ${before.seq} of ${person.name} to ${seq}`
  }

  #isSigned(signed: Uint8Array): boolean {
    try {
      verifyMailboxRecord(this.#platform, signed)
      return true
    } catch (error) {
      if (!isAbzuError(error)) throw error
      return false
    }
  }

  /** Every record of a person, in the order of their numbers. */
  of(person: Person): Uint8Array[] {
    const all = [...(this.#seen.get(person)?.values() ?? [])]
    return all.toSorted((a, b) => unverifiedRecord(a).seq - unverifiedRecord(b).seq)
  }
}
