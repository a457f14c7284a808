/** Attackers that keep to the frames, and to nothing else. @module */

import type { PrivateKey, Connection } from '@libp2p/interface'
import type { Libp2p } from 'libp2p'
import type { Test } from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { AbzuError, toAbzuError, type ErrorCode } from '../../../src/base/util/errors.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import type { Protocol } from '../../../src/base/wire/protocols.ts'
import type { FrameStream } from '../../../src/machine/transport/frame-stream.ts'
import { Libp2pPipe } from '../../../src/machine/transport/libp2p-pipe.ts'
import { PipeFrameStream } from '../../../src/machine/transport/pipe-frame-stream.ts'
import { defaultTransportLimits } from '../../../src/machine/transport/transport-limits.ts'
import { attack, hostileStream, openAttacker } from '../attacker.ts'

/** How often each answer came: `held`, `durable` and the like, or an error code. */
export type Answers = Map<string, number>

/** The answers to each sort of what was sent. */
export class Tally {
  readonly #sorts = new Map<string, Answers>()

  count(sort: string, answer: string): void {
    const answers: Answers = this.#sorts.get(sort) ?? new Map<string, number>()
    this.#sorts.set(sort, answers.set(answer, (answers.get(answer) ?? 0) + 1))
  }

  of(sort: string, answer: string): number {
    return this.#sorts.get(sort)?.get(answer) ?? 0
  }

  /** All that was answered. */
  get total(): number {
    return this.sorts.reduce((sum, sort) => sum + this.#totalOf(sort), 0)
  }

  get sorts(): string[] {
    return [...this.#sorts.keys()]
  }

  get text(): string {
    const lines = [...this.#sorts].map(
      ([sort, answers]) => `${sort}: ${JSON.stringify(Object.fromEntries(answers))}`,
    )
    return lines.join(', ')
  }

  #totalOf(sort: string): number {
    return [...(this.#sorts.get(sort)?.values() ?? [])].reduce((sum, count) => sum + count, 0)
  }
}

export interface IntruderInit {
  /** IPv4 address of the loopback network that it comes from. */
  readonly from: string
  readonly privateKey?: PrivateKey
}

/** One name and one connection of an attacker. */
export class Intruder {
  readonly peerId: PeerId
  readonly #libp2p: Libp2p
  readonly #connection: Connection | undefined

  private constructor(libp2p: Libp2p, connection: Connection | undefined) {
    this.#libp2p = libp2p
    this.#connection = connection
    this.peerId = libp2p.peerId.toString() as PeerId
  }

  /** Connected, unless the node lets nobody in from there. Ends with the test.
   *  @param address with the node's peer id */
  static async open(t: Test, address: string, init: IntruderInit): Promise<Intruder> {
    const libp2p = await openAttacker(t, init)
    return new Intruder(libp2p, await attack(libp2p, address).catch(() => undefined))
  }

  get isIn(): boolean {
    return this.#connection?.status === 'open'
  }

  /** As `Transport.open`, and always to the attacked.
   *  @throws {AbzuError} ABZU_UNREACHABLE where it takes no stream */
  async open(_: PeerId, { id }: Protocol): Promise<FrameStream> {
    const connection = this.#connection
    const stream = this.isIn && connection && (await hostileStream(connection, id))
    if (!stream) throw new AbzuError('ABZU_UNREACHABLE', 'the attacked takes no stream')
    return new PipeFrameStream({
      peer: connection.remotePeer.toString() as PeerId,
      pipe: new Libp2pPipe(stream, systemScheduler),
      limits: defaultTransportLimits,
      scheduler: systemScheduler,
    })
  }

  async leave(): Promise<void> {
    await this.#libp2p.stop()
  }
}

const unanswered: ReadonlySet<ErrorCode> = new Set([
  'ABZU_UNREACHABLE',
  'ABZU_CLOSED',
  'ABZU_TIMEOUT',
])

/** The code that the attacked answered; undefined where it did not, and the stream is gone. */
export function answeredCode(error: unknown): ErrorCode | undefined {
  const { code } = toAbzuError(error)
  return unanswered.has(code) ? undefined : code
}
