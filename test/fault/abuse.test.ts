/**
 * I29: under each abuse the node keeps its memory, its event loop and its friends. A new abuse is one more row
 * of the list.
 */

import t, { type Test } from 'tap'
import { defaultTransportLimits } from '../../src/machine/transport/transport-limits.ts'
import { Arena, type AbuseResult, type Target } from '../support/abuse/arena.ts'
import {
  churn,
  crowd,
  halfOpenQuic,
  halfOpenSockets,
  hostileStreams,
  slowReader,
} from '../support/abuse/attacks.ts'

const rssBytesMax = 512 * 2 ** 20
const loopP99MsMax = 100
const honestShareMin = 0.99

interface Abuse {
  /** What it does; its bounds are in docs/limits.md. */
  readonly name: string
  readonly attack: (t: Test, target: Target) => Promise<void>
}

const fromStrangers: readonly Abuse[] = [
  { name: 'nothing, to compare with', attack: async () => Promise.resolve() },
  {
    name: 'five thousand hostile streams by TCP',
    attack: async (t, { tcp }) => {
      const { opened, names } = await hostileStreams(t, tcp, {
        count: 5000,
        namesMax: 500,
        seed: 1,
      })
      t.comment(`${opened} streams under ${names} names`)
      t.ok(opened >= 5000)
      t.ok(names > 20, 'who was shut out came again under other names')
    },
  },
  {
    name: 'streams opened and reset as fast as can be',
    attack: async (t, { tcp }) => {
      const opened = await churn(t, tcp, 3000)
      t.comment(`${opened} streams`)
      t.ok(opened > 500)
    },
  },
  {
    name: 'half-open sockets of two addresses',
    attack: async (t, target) => {
      const hosts = ['127.0.140.1', '127.0.140.2']
      const opened = await halfOpenSockets(target, { hosts, durationMs: 3000 })
      t.comment(`${opened} sockets`)
      t.ok(opened > 200)
    },
  },
  {
    name: 'more connections than there are places',
    attack: async (t, { tcp }) => {
      const { connectionsMax, connectionsReserved } = defaultTransportLimits
      const places = connectionsMax - connectionsReserved
      const held = await crowd(t, tcp, { count: places + 40, places })
      t.comment(`${held} of ${places} places held`)
      t.ok(held > places / 2)
    },
  },
  {
    name: 'who asks without end and reads no answer',
    attack: async (t, { tcp }) => {
      const written = await slowReader(t, tcp, 10)
      t.comment(`${written} requests`)
      t.ok(written > 10_000)
    },
  },
]

/** By QUIC all come from the one address that the honest peer has here as well. */
const fromNeighbours: readonly Abuse[] = [
  {
    name: 'hostile streams by QUIC',
    attack: async (t, { quic }) => {
      const { opened, names } = await hostileStreams(t, quic, { count: 600, namesMax: 16, seed: 2 })
      t.comment(`${opened} streams under ${names} names`)
      t.ok(opened > 50)
    },
  },
  {
    name: 'half-open QUIC handshakes',
    attack: async (t, target) => {
      const passed = await halfOpenQuic(t, target, 200)
      t.comment(`${passed} handshakes`)
      t.ok(passed >= 50)
    },
  },
]

function judge(t: Test, result: AbuseResult): void {
  const { honestSent, honestDelivered, ownLoopP99Ms, errors } = result
  t.comment(JSON.stringify({ ...result, rssMiBMax: Math.round(result.rssBytesMax / 2 ** 20) }))
  t.ok(
    honestDelivered >= honestShareMin * honestSent,
    `${honestDelivered} of ${honestSent} delivered`,
  )
  t.ok(result.rssBytesMax <= rssBytesMax, 'resident memory')
  t.ok(ownLoopP99Ms <= loopP99MsMax, `the event loop's p99 is ${ownLoopP99Ms} ms`)
  t.strictSame(errors, [], 'no bug was reached')
}

t.test('I29, I30: a node under abuse', { timeout: 240_000 }, async (t) => {
  const arena = await Arena.open(t)
  const suffer = async ({ name, attack }: Abuse) =>
    t.test(name, async (t) => {
      judge(t, await arena.withstand(async (target) => attack(t, target)))
    })
  for (const abuse of fromStrangers) await suffer(abuse)
  await arena.befriend()
  for (const abuse of fromNeighbours) await suffer(abuse)
})
