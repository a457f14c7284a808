/**
 * The second way of a letter: whose home gives no receipt in time, goes to those who hold the mailbox as
 * well, one after the other until one has it. What a holder says never ends a letter, save that it shows a newer
 * record of the recipient.
 * @see docs/protocol.md#holders
 * @module
 */

import type { PeerId } from '../../base/util/brand.ts'
import type { Host } from '../../base/wire/records.ts'
import type { Answer } from './courier.ts'
import type { Lane, LaneDeps, Letter } from './lane.ts'
import { Lanes } from './lanes.ts'

export type HolderReceipt = Extract<Answer, { kind: 'receipt' }>
export type HolderRefusal = Extract<Answer, { kind: 'refused' }>

export interface HoldersDeps {
  /** Who may be asked to hold a letter, best first; nobody where one has it already. */
  readonly holdersOf: (letter: Letter) => readonly Host[]
  readonly open: (host: Host, told: Pick<LaneDeps, 'settle' | 'late' | 'putOff'>) => Lane
  /** A holder says that it has it. Returns whether that is worth anything. */
  readonly held: (letter: Letter, receipt: HolderReceipt) => boolean
  /** A holder refused it for good. Returns whether that is the end of the letter. */
  readonly refused: (letter: Letter, refusal: HolderRefusal) => boolean
}

interface Search {
  /** Not asked yet. */
  readonly left: Host[]
  readonly asked: Lane[]
  /** Asked last. */
  current: PeerId | undefined
}

/** Whom `hosts` name besides the home: those that keep a copy for it, then those that did. */
export function holdersAmong(hosts: readonly Host[], home: Host): Host[] {
  const found = new Map<string, Host>()
  for (const role of ['replica', 'former'] as const) {
    for (const host of hosts) {
      if (host.role !== role || host.peerId === home.peerId || found.has(host.peerId)) continue
      found.set(host.peerId, host)
    }
  }
  return [...found.values()]
}

export class Holders {
  readonly #deps: HoldersDeps
  readonly #lanes: Lanes
  readonly #searches = new Map<Letter, Search>()

  constructor(deps: HoldersDeps) {
    this.#deps = deps
    this.#lanes = new Lanes((host) => {
      const peer = host.peerId as PeerId
      return deps.open(host, {
        settle: (letter, answer) => this.#settled(peer, letter, answer),
        late: (letters) => {
          for (const letter of letters) this.#next(letter, peer)
        },
        putOff: (letter) => this.#next(letter, peer),
      })
    })
  }

  /** Letters whose home is late with them. */
  add(letters: readonly Letter[]): void {
    for (const letter of letters) {
      const left = [...this.#deps.holdersOf(letter)]
      if (left.length === 0 || this.#searches.has(letter)) continue
      this.#searches.set(letter, { left, asked: [], current: undefined })
      this.#next(letter)
    }
  }

  /** A letter that nobody needs to hold, or not any more. */
  withdraw(letter: Letter): void {
    const search = this.#searches.get(letter)
    this.#searches.delete(letter)
    for (const lane of search?.asked ?? []) lane.withdraw(letter)
  }

  /** @see Lanes.wake */
  wake(peer?: PeerId): void {
    this.#lanes.wake(peer)
  }

  async close(): Promise<void> {
    await this.#lanes.close()
  }

  /** Asks one more, unless one was asked since `after`, who has not taken it. */
  #next(letter: Letter, after?: PeerId): void {
    const search = this.#searches.get(letter)
    if (!search || search.current !== after) return
    const host = search.left.shift()
    if (!host) return
    const lane = this.#lanes.to(host)
    search.current = host.peerId as PeerId
    search.asked.push(lane)
    lane.add(letter)
  }

  #settled(peer: PeerId, letter: Letter, answer: Answer | { kind: 'expired' }): void {
    if (!this.#searches.has(letter) || answer.kind === 'expired') return
    const { held, refused } = this.#deps
    const isDone = answer.kind === 'receipt' ? held(letter, answer) : refused(letter, answer)
    if (isDone) this.withdraw(letter)
    else this.#next(letter, peer)
  }
}
