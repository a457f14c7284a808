/** Real transports on loopback for tests, closed with the test. @module */

import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import type { Log, LogFields } from '../../src/base/util/log.ts'
import type { Clock } from '../../src/base/util/clock.ts'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import type { ImportQuic } from '../../src/machine/transport/quic.ts'
import { openTransport } from '../../src/machine/transport/open-transport.ts'
import {
  defaultTransportLimits,
  type TransportLimits,
} from '../../src/machine/transport/transport-limits.ts'
import type { Libp2pMetrics } from '../../src/machine/transport/libp2p-metrics.ts'
import type { Transport } from '../../src/machine/transport/transport.ts'

/** Keeps what was logged. */
export class MemoryLog implements Log {
  readonly entries: { level: string; event: string; fields: LogFields }[] = []
  debug = this.#at('debug')
  info = this.#at('info')
  warn = this.#at('warn')
  error = this.#at('error')

  /** Events of one level. */
  events(level: string): string[] {
    return this.entries.filter((entry) => entry.level === level).map(({ event }) => event)
  }

  #at(level: string): Log['info'] {
    return (event, fields = {}) => void this.entries.push({ level, event, fields })
  }
}

export interface TestTransportInit {
  /** None for a machine that only dials. */
  readonly tcp?: readonly string[]
  readonly quic?: readonly string[]
  readonly importQuic?: ImportQuic
  readonly announce?: readonly string[]
  readonly metrics?: Libp2pMetrics
  readonly machineSeed?: Uint8Array
  readonly limits?: Partial<TransportLimits>
  readonly log?: Log
  readonly clock?: Clock
}

/** Opens a transport that does not listen yet. */
export async function openTestTransport(
  t: Test,
  {
    tcp,
    quic = [],
    metrics,
    machineSeed = randomBytes(32),
    limits,
    log,
    clock,
    importQuic,
    announce,
  }: TestTransportInit = {},
): Promise<Transport> {
  // pending timers of the code under test do not keep the process alive
  const alive = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(alive))
  const transport = await openTransport({
    machineSeed,
    tcp: tcp ?? (quic.length > 0 ? [] : ['127.0.0.1:0']),
    quic,
    ...(importQuic && { importQuic }),
    announce,
    metrics,
    limits: { ...defaultTransportLimits, resetGraceMs: 50, ...limits },
    clock: clock ?? systemClock,
    scheduler: systemScheduler,
    random: randomBytes,
    log: log ?? new MemoryLog(),
  })
  t.teardown(async () => transport.close())
  return transport
}

/** Opens a transport that listens. */
export async function listening(t: Test, init?: TestTransportInit): Promise<Transport> {
  const transport = await openTestTransport(t, init)
  await transport.listen()
  return transport
}

/** Resolves when `condition` holds; for what other processes and the network do in their own time. */
export async function until(
  condition: () => boolean,
  what: string,
  patienceMs = 30_000,
): Promise<void> {
  const giveUpAtMs = performance.now() + patienceMs
  while (!condition()) {
    if (performance.now() > giveUpAtMs) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
