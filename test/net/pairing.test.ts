/** Two real daemons that are paired by their command lines. */

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { parsePeerCode } from '../../src/base/crypto/peer-code.ts'
import { systemScheduler as scheduler } from '../../src/base/util/system-time.ts'
import { encodePairRequest } from '../../src/base/wire/pair.ts'
import { pairProtocol } from '../../src/base/wire/protocols.ts'
import { call } from '../../src/machine/transport/call.ts'
import { Box, type Peer } from '../support/box.ts'
import { openTestTransport, until } from '../support/transports.ts'

t.test('paired, named, with quotas, redialled after a restart, and parted', async (t) => {
  const [ann, bob] = [new Box(t, "Ann's box"), new Box(t, 'bob')]
  const [annReady, bobReady] = [await ann.start(), await bob.start()]
  const code = await ann.invite('--quota', '5GB')
  t.match(code, /^abzu-peer:[\w-]+$/)
  const paired = await bob.run<Peer>('peer', 'accept', code, '--name', 'ann', '--quota', '500MB')
  const { peerId } = annReady
  t.match(paired, { peerId, name: 'ann', quotaBytes: 5e8, grantedBytes: 5e9, connected: true })
  const mirrored = { peerId: bobReady.peerId, name: 'bob', quotaBytes: 5e9, grantedBytes: 5e8 }
  t.match(await ann.peers(), [mirrored])
  t.match(await bob.peers(), [{ name: 'ann' }])

  // both dial: whoever restarts is found by the other, and finds it
  for (const box of [ann, bob]) {
    await box.run('stop')
    await box.start()
    await Promise.all([ann.company(), bob.company()])
  }
  t.match(await ann.peers(), [mirrored], 'what was agreed has survived')

  await bob.run('peer', 'accept', code)
  t.equal((await ann.peers()).length, 1, 'the same again by the same node is no harm')
  t.match(await bob.peers(), [{ name: 'ann', quotaBytes: 1e10 }])
  await ann.run('peer', 'remove', 'bob')
  t.strictSame(await ann.peers(), [])
  const refused = await bob.fails('accept', code)
  t.match(refused, { code: 77, error: { code: 'ABZU_DENIED' } }, 'whoever was removed stays so')
})

t.test('a code is for one node, and for no other', async (t) => {
  const boxes = [new Box(t, 'a'), new Box(t, 'b'), new Box(t, 'c')] as const
  const [host, ...guests] = boxes
  for (const box of boxes) await box.start()
  const code = await host.invite()
  const outcomes = await Promise.allSettled(
    guests.map(async (guest) => guest.run<Peer>('peer', 'accept', code)),
  )
  t.strictSame(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  t.equal((await host.peers()).length, 1)
  t.match(await host.fails('accept', code), { code: 64 }, 'not even for its own')
  t.match(await host.fails('accept', `${code}x`), {
    code: 65,
    error: { code: 'ABZU_LINK_INVALID' },
  })
  t.match(await host.fails('remove', 'nobody'), { code: 64, error: { code: 'ABZU_NOT_FOUND' } })
})

t.test('a stranger without a code is nobody', async (t) => {
  const box = new Box(t, 'box')
  const { peerId, addresses } = await box.start()
  const code = parsePeerCode(await box.invite())
  const stranger = await openTestTransport(t, { tcp: [] })
  const ask = async (token: Uint8Array) => {
    const request = encodePairRequest({ token, name: 'x', quotaBytes: 1, addresses: [] })
    const init = { addresses, timeoutMs: 10_000, scheduler }
    return call(stranger, peerId, pairProtocol, request, init)
  }
  await t.rejects(ask(nodePlatform().random(16)), { code: 'ABZU_DENIED' })
  await t.rejects(ask(new Uint8Array(16)), { code: 'ABZU_DENIED' })
  const near = code.token.slice()
  near[15] = (near[15] ?? 0) ^ 1
  await t.rejects(ask(near), { code: 'ABZU_DENIED' })
  t.strictSame(await box.peers(), [])
  await ask(code.token)
  t.match(await box.peers(), [{ name: 'x', peerId: stranger.peerId, connected: true }])
  const { peers } = await box.run<{ peers: object[] }>('status')
  t.match(peers, [{ peerId: stranger.peerId, kept: true }])
})

t.test('a peer that is gone is dialled where it said, after a restart too', async (t) => {
  const box = new Box(t, 'box')
  const { peerId, addresses } = await box.start()
  let dials = 0
  const server = createServer((socket) => {
    dials++
    socket.on('error', () => undefined).destroy()
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const { token } = parsePeerCode(await box.invite())
  const peer = await openTestTransport(t, { tcp: [] })
  const told = [`/ip4/127.0.0.1/tcp/${port}`]
  const request = encodePairRequest({ token, name: 'x', quotaBytes: 1, addresses: told })
  const init = { addresses, timeoutMs: 10_000, scheduler }
  await call(peer, peerId, pairProtocol, request, init)
  t.equal(dials, 0, 'not while it is connected')
  await peer.close()
  await until(() => dials > 1, 'dialled again and again')
  await box.run('stop')
  const before = dials
  await box.start()
  await until(() => dials > before + 1, 'by the restarted node')
})
