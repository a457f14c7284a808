/**
 * A network in memory: links with latency that may fail in either direction, connections that break, streams on
 * which everything arrives in order or not at all.
 * @module
 */

import type { PeerId } from '../../src/base/util/brand.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import type { Protocol } from '../../src/base/wire/protocols.ts'
import { defaultTransportLimits } from '../../src/machine/transport/transport-limits.ts'
import type { FaultCounts } from './fault-counts.ts'
import type { Random } from './random.ts'
import { SimPipe, type Wire } from './sim-pipe.ts'
import type { CrashKind } from './sim-disk.ts'
import type { Timeline } from './timeline.ts'

/** A machine's side of the network, for as long as it runs. */
export interface NetworkEnd {
  readonly peerId: PeerId
  /** For the trace. */
  readonly name: string
  /** Whether it accepts connections. */
  readonly isListening: boolean
  /** Somebody has opened a stream. */
  accept(from: PeerId, protocol: Protocol, pipe: SimPipe): void
  /** A connection came or went. */
  connectionChanged(peerId: PeerId): void
}

interface Side {
  readonly end: NetworkEnd
  readonly pipes: Set<SimPipe>
  isOpen: boolean
}

/** Between two machines that both know each other's keys. */
export interface SimConnection {
  /** Who dialled, and who was dialled. */
  readonly sides: readonly [Side, Side]
}

/** What a stream carried, to be played again. */
interface Recording {
  readonly from: PeerId
  readonly to: PeerId
  readonly protocol: Protocol
  readonly chunks: Uint8Array[]
}

const latencyMsMin = 1
const latencyMsMax = 60
/** Of a stream that is slow, so that others overtake it. */
const slowMsMax = 4000
const recordingsKept = 8
/** A machine that lost its power sends no word: peers notice by their own questions. */
const noticeMsMax =
  defaultTransportLimits.monitorIntervalMs + defaultTransportLimits.monitorTimeoutMs

export interface SimNetworkDeps {
  readonly timeline: Timeline
  readonly random: Random
  readonly counts: FaultCounts
}

export class SimNetwork {
  readonly #deps: SimNetworkDeps
  readonly #ends = new Map<PeerId, NetworkEnd>()
  readonly #connections = new Set<SimConnection>()
  readonly #latencies = new Map<string, number>()
  /** Directions in which nothing arrives, with what waits to. */
  readonly #blocked = new Map<string, (() => void)[]>()
  readonly #recordings: Recording[] = []
  readonly #sent = new Map<string, number>()
  readonly #arrived = new Map<string, number>()
  /** Machines whose operating system answers, although the node is down. */
  readonly #refusing = new Set<PeerId>()
  /** The probability that a write breaks its connection midway. */
  lossy = 0
  /** The probability that a stream is slow. */
  slow = 0

  constructor(deps: SimNetworkDeps) {
    this.#deps = deps
  }

  attach(end: NetworkEnd): void {
    this.#ends.set(end.peerId, end)
  }

  /** The machine's node has ended. */
  detach(peerId: PeerId, kind: CrashKind): void {
    const { timeline, random } = this.#deps
    this.#ends.delete(peerId)
    if (kind === 'kill') this.#refusing.add(peerId)
    else this.#refusing.delete(peerId)
    for (const connection of this.#connections) {
      const [near, far] = sidesOf(connection, peerId)
      if (!near || !far) continue
      near.isOpen = false
      const delayMs = kind === 'kill' ? latencyMsMax : random.between(0, noticeMsMax)
      timeline.after(delayMs, `${far.end.name} loses ${near.end.name}`, () => this.#break(far))
    }
  }

  end(peerId: PeerId): NetworkEnd | undefined {
    return this.#ends.get(peerId)
  }

  /** Machines that run and are reached from, and reach, this one. */
  reachable(peerId: PeerId): PeerId[] {
    return [...this.#ends.keys()].filter(
      (other) => other !== peerId && !this.#isCut(peerId, other) && !this.#isCut(other, peerId),
    )
  }

  connectionsOf(peerId: PeerId): { other: PeerId; isOutbound: boolean }[] {
    return [...this.#connections].flatMap((connection) => {
      const [near, far] = sidesOf(connection, peerId)
      if (!near?.isOpen || !far) return []
      return [{ other: far.end.peerId, isOutbound: near === connection.sides[0] }]
    })
  }

  /** Nothing arrives from one machine at the other, until it is mended. */
  cut(from: PeerId, to: PeerId): void {
    const { timeline, random } = this.#deps
    const key = `${from}>${to}`
    if (this.#blocked.has(key)) return
    this.#blocked.set(key, [])
    // whoever asks whether the other is there, and hears nothing, lets go
    for (const connection of this.#connections) {
      const [near, far] = sidesOf(connection, from)
      if (!near || far?.end.peerId !== to) continue
      for (const side of [near, far]) {
        timeline.after(random.between(0, noticeMsMax), `${side.end.name} asks in vain`, () => {
          if (this.#blocked.has(key)) this.#break(side)
        })
      }
    }
  }

  isCut(from: PeerId, to: PeerId): boolean {
    return this.#isCut(from, to)
  }

  mend(from: PeerId, to: PeerId): void {
    const key = `${from}>${to}`
    const waiting = this.#blocked.get(key) ?? []
    this.#blocked.delete(key)
    for (const arrive of waiting) arrive()
  }

  mendAll(): void {
    for (const key of this.#blocked.keys()) {
      const [from, to] = key.split('>') as [PeerId, PeerId]
      this.mend(from, to)
    }
  }

  /** Breaks a connection that lives. Returns whether there was one. */
  reset(): boolean {
    const all = [...this.#connections]
    if (all.length === 0) return false
    const connection = this.#deps.random.pick(all)
    for (const side of connection.sides) this.#break(side)
    return true
  }

  /** Plays again what a stream carried, as its sender would who did not see the answers. Returns whether there was
   *  anything. */
  replay(): boolean {
    const { timeline, random } = this.#deps
    if (this.#recordings.length === 0) return false
    const { from, to, protocol, chunks } = random.pick(this.#recordings)
    const end = this.#ends.get(to)
    if (!end || chunks.length === 0) return false
    const pipe = SimPipe.deaf()
    end.accept(from, protocol, pipe)
    for (const [n, bytes] of chunks.entries()) {
      timeline.after(1 + n, `${end.name} hears again`, () => pipe.hear({ bytes }))
    }
    timeline.after(30_000, `${end.name} hears no more`, () => pipe.breakOff())
    return true
  }

  /** Connects two machines. @throws {AbzuError} ABZU_UNREACHABLE */
  async dial(near: NetworkEnd, peerId: PeerId): Promise<SimConnection> {
    const latencyMs = this.#latency(near.peerId, peerId)
    const isCut = this.#isCut(near.peerId, peerId) || this.#isCut(peerId, near.peerId)
    const isThere = this.#ends.has(peerId) || this.#refusing.has(peerId)
    const dialMs = isThere && !isCut ? 3 * latencyMs : defaultTransportLimits.dialAddressMs
    await this.#pass(dialMs, `${near.name} dials`)
    const far = this.#ends.get(peerId)
    if (isCut || !far?.isListening || this.#isCut(near.peerId, peerId)) {
      throw new AbzuError('ABZU_UNREACHABLE', 'nobody answers')
    }
    const sideOf = (end: NetworkEnd): Side => ({ end, pipes: new Set(), isOpen: true })
    const connection: SimConnection = { sides: [sideOf(near), sideOf(far)] }
    if (this.#ends.get(near.peerId) !== near) await new Promise(() => undefined)
    this.#connections.add(connection)
    near.connectionChanged(peerId)
    far.connectionChanged(near.peerId)
    return connection
  }

  /** A connection of `peerId` to `other` that lives, as far as the former knows. */
  living(peerId: PeerId, other: PeerId): SimConnection | undefined {
    return [...this.#connections].find((connection) => {
      const [near, far] = sidesOf(connection, peerId)
      return near?.isOpen && far?.end.peerId === other
    })
  }

  /** A stream over a connection.
   *  @throws {AbzuError} ABZU_UNREACHABLE */
  async open(connection: SimConnection, from: NetworkEnd, protocol: Protocol): Promise<SimPipe> {
    const [near, far] = sidesOf(connection, from.peerId) as [Side, Side]
    const { random } = this.#deps
    const slowMs = random.chance(this.slow) ? random.between(0, slowMsMax) : 0
    const recording = { from: from.peerId, to: far.end.peerId, protocol, chunks: [] }
    this.#recordings.push(recording)
    if (this.#recordings.length > recordingsKept) this.#recordings.shift()
    const there = this.#wire(near, far, { slowMs, recording })
    const back = this.#wire(far, near, { slowMs })
    const [pipe, other] = SimPipe.pair(there, back)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const broken = new AbzuError('ABZU_UNREACHABLE', 'the connection broke')
    if (!near.isOpen) throw broken
    near.pipes.add(pipe)
    pipe.onOver(() => {
      near.pipes.delete(pipe)
      reject(broken)
    })
    there.carry(undefined, () => {
      if (!far.isOpen) return
      far.pipes.add(other)
      other.onOver(() => far.pipes.delete(other))
      far.end.accept(from.peerId, protocol, other)
      back.carry(undefined, resolve)
    })
    await promise
    return pipe
  }

  #wire(from: Side, to: Side, init: { slowMs: number; recording?: Recording }): Wire {
    const { timeline, random, counts } = this.#deps
    const key = `${from.end.peerId}>${to.end.peerId}`
    const line = `${from.end.name}>${to.end.name}`
    let lastMs = 0
    let isBroken = false
    return {
      carry: (bytes, arrive) => {
        if (!from.isOpen || isBroken) return
        if (bytes) init.recording?.chunks.push(bytes)
        if (bytes && random.chance(this.lossy)) {
          counts.count('drop')
          // nothing overtakes what is lost
          isBroken = true
          const delayMs = random.between(0, 5)
          timeline.after(delayMs, `${line} breaks`, () => {
            for (const side of [from, to]) this.#break(side)
          })
          return
        }
        const serial = (this.#sent.get(key) ?? 0) + 1
        this.#sent.set(key, serial)
        const jitterMs = random.between(0, 2)
        const latencyMs = this.#latency(from.end.peerId, to.end.peerId) + init.slowMs + jitterMs
        // in the order of sending
        lastMs = Math.max(lastMs + 0.001, timeline.nowMs + latencyMs)
        const land = (): void => {
          if (!to.isOpen) return
          const blocked = this.#blocked.get(key)
          if (blocked) return void blocked.push(land)
          if (serial < (this.#arrived.get(key) ?? 0)) counts.count('reorder')
          else this.#arrived.set(key, serial)
          if (bytes) timeline.trace.note(line, bytes)
          arrive()
        }
        timeline.after(lastMs - timeline.nowMs, line, land)
      },
    }
  }

  #break(side: Side): void {
    if (!side.isOpen) return
    side.isOpen = false
    const { random, timeline } = this.#deps
    const connection = [...this.#connections].find(({ sides }) => sides.includes(side))
    const other = connection?.sides.find((one) => one !== side)
    if (connection && !other?.isOpen) this.#connections.delete(connection)
    if (other?.isOpen) {
      // it is told, or finds out
      const line = `${other.end.name} is let go`
      timeline.after(random.between(1, 200), line, () => this.#break(other))
    }
    if (this.#ends.get(side.end.peerId) !== side.end) return
    for (const pipe of side.pipes) pipe.breakOff()
    if (other) side.end.connectionChanged(other.end.peerId)
  }

  #isCut(from: PeerId, to: PeerId): boolean {
    return this.#blocked.has(`${from}>${to}`)
  }

  #latency(from: PeerId, to: PeerId): number {
    const key = [from, to].sort().join()
    const known = this.#latencies.get(key)
    if (known !== undefined) return known
    const latencyMs = this.#deps.random.between(latencyMsMin, latencyMsMax)
    this.#latencies.set(key, latencyMs)
    return latencyMs
  }

  async #pass(delayMs: number, line: string): Promise<void> {
    await new Promise<void>((resolve) => void this.#deps.timeline.after(delayMs, line, resolve))
  }
}

function sidesOf({ sides }: SimConnection, peerId: PeerId): [Side, Side] | [undefined, undefined] {
  const [a, b] = sides
  if (a.end.peerId === peerId) return [a, b]
  return b.end.peerId === peerId ? [b, a] : [undefined, undefined]
}
