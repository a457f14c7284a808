import t, { type Test } from 'tap'
import type { Finding } from '../../../src/base/health/finding.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import {
  clockFindings,
  reachabilityFindings,
  recordFindings,
  storeFindings,
  verificationFindings,
} from '../../../src/machine/node/node-findings.ts'
import { reachability } from '../../../src/machine/node/reachability.ts'

const peer = 'peer' as PeerId
const nowMs = Date.UTC(2026, 5, 1)
const dayMs = 86_400_000

/** Severities by check; whoever is told of trouble is told what it means and what to do. */
function severities(t: Test, findings: readonly Finding[]): Record<string, string> {
  t.ok(findings.length > 0)
  for (const { severity, means, remedy } of findings) {
    t.equal(means !== undefined && remedy !== undefined, severity !== 'ok')
  }
  return Object.fromEntries(findings.map(({ check, severity }) => [check, severity]))
}

t.test('how the node is reached', async (t) => {
  const own = (source: 'announced' | 'listening', scope: 'loopback' | 'lan' | 'public') => ({
    address: `/ip4/192.0.2.1/tcp/1/p2p/${peer}`,
    source,
    scope,
  })
  const look = (addresses: ReturnType<typeof own>[], peers: ('inbound' | 'outbound')[] = []) =>
    severities(
      t,
      reachabilityFindings(
        reachability(
          {
            ownAddresses: () => addresses,
            peers: () => peers.map((direction) => ({ peerId: peer, address: '', direction })),
          },
          { lan: true },
        ),
      ),
    )
  t.same(look([own('listening', 'public')], ['inbound']), { reachability: 'ok', peers: 'ok' })
  t.same(look([own('listening', 'loopback'), own('announced', 'public')], ['outbound']), {
    reachability: 'ok',
    peers: 'ok',
  })
  t.same(look([own('listening', 'lan'), own('listening', 'loopback')]), {
    reachability: 'note',
    peers: 'warning',
  })
  t.same(look([own('listening', 'loopback')]), { reachability: 'warning', peers: 'warning' })
  t.same(look([own('announced', 'public')]), { reachability: 'error', peers: 'warning' })
  t.same(look([]), { reachability: 'error', peers: 'warning' })
})

t.test('addresses say what carries them', async (t) => {
  const places = {
    '/ip4/1.2.3.4/tcp/1/p2p/x': 'tcp',
    '/ip4/1.2.3.4/udp/1/quic-v1/p2p/x': 'quic',
    '/ip4/1.2.3.4/tcp/1/ws/p2p/x': 'websocket',
    '/ip4/1.2.3.4/tcp/1/wss/p2p/x': 'websocket',
    '/ip4/1.2.3.4/tcp/443/tls/sni/home.example/p2p/x': 'tls',
    '/ip4/1.2.3.4/tcp/1/p2p/x/p2p-circuit/p2p/y': 'relay',
  }
  const { addresses } = reachability(
    {
      ownAddresses: () =>
        Object.keys(places).map((address) => ({ address, source: 'listening', scope: 'public' })),
      peers: () => [],
    },
    { lan: false },
  )
  t.same(Object.fromEntries(addresses.map((one) => [one.address, one.transport])), places)
})

t.test('the clock', async (t) => {
  const look = (init: Partial<Parameters<typeof clockFindings>[0]>) =>
    severities(t, clockFindings({ nowMs, doubt: undefined, opinions: [], ...init }))['clock']
  const opinions = (...differences: number[]) =>
    differences.map((differenceMs) => ({ peer, differenceMs }))
  t.equal(look({}), 'ok')
  t.equal(look({ nowMs: 0 }), 'error')
  t.equal(look({ nowMs: Date.UTC(2200, 0) }), 'error')
  t.equal(look({ opinions: opinions(1000, -1000) }), 'ok')
  t.equal(look({ opinions: opinions(dayMs, 2 * dayMs, 0) }), 'warning')
  t.equal(look({ opinions: opinions(dayMs, 0) }), 'ok', 'one against one')
  const doubt = { jumpMs: -10 * 365 * dayMs, since: 'restart', witnesses: 1 } as const
  t.equal(look({ doubt }), 'warning')
  const [finding] = clockFindings({ nowMs, doubt, opinions: [] })
  t.match(finding?.found, /3650 days back since the node ran last; 1 of 2 peers/)
})

t.test('the store', async (t) => {
  const good = { wasClosed: true, lostCommits: 0, isDiskFull: false }
  const look = (change: Partial<typeof good>) =>
    severities(t, storeFindings({ ...good, ...change }))['store']
  t.equal(look({}), 'ok')
  t.equal(look({ wasClosed: false }), 'note')
  t.equal(look({ lostCommits: 1 }), 'error')
  t.equal(look({ isDiskFull: true }), 'error')
  const sound = { items: 3, rows: 4, damaged: 0, lost: 0, returned: 0, isSound: true }
  t.equal(severities(t, verificationFindings(sound))['store-verified'], 'ok')
  const broken = { ...sound, lost: 1, isSound: false }
  t.equal(severities(t, verificationFindings(broken))['store-verified'], 'error')
})

t.test('records', async (t) => {
  const year = 365 * 24
  const look = (...records: Parameters<typeof recordFindings>[0]) =>
    severities(t, recordFindings(records))['records']
  t.equal(look(), 'ok')
  t.equal(look({ hoursLeft: year }), 'ok')
  t.equal(look({ hoursLeft: year, hoursSincePublished: 12 }), 'ok')
  t.equal(look({ hoursLeft: year }, { hoursLeft: 29 * 24 }), 'warning')
  t.equal(look({ hoursLeft: year }, { hoursLeft: 0 }), 'error')
  t.equal(look({ hoursLeft: undefined }), 'error')
  t.equal(look({ hoursLeft: year, hoursSincePublished: Infinity }), 'warning')
})
