import { randomBytes } from 'node:crypto'
import t from 'tap'
import { peerIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import {
  dialAddressesOf,
  neighbourOf,
  parseDialAddress,
  parseListenAddress,
} from '../../../src/machine/transport/addresses.ts'
import { admitsAddress, admitsPeer } from '../../../src/machine/transport/connection-budget.ts'

const { ed25519 } = nodePlatform()
const peerId = peerIdOf(ed25519.publicKey(randomBytes(32)))
const invalid = { code: 'ABZU_ADDRESS_INVALID' }

t.test('addresses to dial', async (t) => {
  const valid = [
    `/ip4/192.0.2.1/tcp/4001/p2p/${peerId}`,
    `/ip6/2001:db8::1/tcp/65535/p2p/${peerId}`,
    `/dns/home.example.org/tcp/1/p2p/${peerId}`,
    `/dns4/home.example.org/tcp/4001/p2p/${peerId}`,
    `/dns6/home.example.org/tcp/4001/p2p/${peerId}`,
    `/ip4/192.0.2.1/udp/4001/quic-v1/p2p/${peerId}`,
    `/ip6/2001:db8::1/udp/65535/quic-v1/p2p/${peerId}`,
  ]
  for (const text of valid) t.same(parseDialAddress(text), { peerId, text })

  const hostile = [
    '',
    '/',
    'nonsense',
    `/ip4/192.0.2.1/tcp/4001`,
    `/p2p/${peerId}`,
    `/ip4/192.0.2.1/p2p/${peerId}`,
    `/ip4/192.0.2.1/udp/4001/p2p/${peerId}`,
    `/ip4/192.0.2.1/udp/4001/quic/p2p/${peerId}`,
    `/ip4/192.0.2.1/udp/0/quic-v1/p2p/${peerId}`,
    `/ip4/192.0.2.1/udp/4001/quic-v1`,
    `/ip4/192.0.2.1/tcp/4001/quic-v1/p2p/${peerId}`,
    `/ip4/192.0.2.1/udp/4001/quic-v1/webtransport/p2p/${peerId}`,
    `/dns4/home.example.org/udp/4001/quic-v1/p2p/${peerId}`,
    `/ip4/192.0.2.1/tcp/4001/ws/p2p/${peerId}`,
    `/ip4/192.0.2.1/tcp/0/p2p/${peerId}`,
    `/ip4/192.0.2.1/tcp/65536/p2p/${peerId}`,
    `/ip4/192.0.2.999/tcp/1/p2p/${peerId}`,
    `/ip6zone/eth0/ip6/fe80::1/tcp/1/p2p/${peerId}`,
    `/unix/tmp/socket/p2p/${peerId}`,
    `/dnsaddr/example.org/p2p/${peerId}`,
    `/dns4/${'a'.repeat(300)}/tcp/1/p2p/${peerId}`,
    `/ip4/192.0.2.1/tcp/1/p2p/${peerId}/p2p-circuit/p2p/${peerId}`,
    `/ip4/192.0.2.1/tcp/1/p2p/${peerId.slice(0, -1)}`,
    `/ip4/192.0.2.1/tcp/1/p2p/16Uiu2HAmGTQxBbsHJ8BBxa8XmzWwZFzPfzrjhWYm9XZVTLcPbNnW`,
    `/ip4/192.0.2.1/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N`,
  ]
  for (const text of hostile) t.throws(() => parseDialAddress(text), invalid, text)
  t.same(dialAddressesOf(peerId, [...hostile, ...valid, ...valid]), valid)
  const other = peerIdOf(ed25519.publicKey(randomBytes(32)))
  t.same(dialAddressesOf(other, valid), [], 'who names somebody else is skipped')
})

t.test('places to listen at', async (t) => {
  t.equal(parseListenAddress('127.0.0.1:0', 'tcp'), '/ip4/127.0.0.1/tcp/0')
  t.equal(parseListenAddress('0.0.0.0:4001', 'tcp'), '/ip4/0.0.0.0/tcp/4001')
  t.equal(parseListenAddress('[::]:4001', 'tcp'), '/ip6/::/tcp/4001')
  t.equal(parseListenAddress('[2001:db8::1]:4001', 'tcp'), '/ip6/2001:db8::1/tcp/4001')
  t.equal(parseListenAddress('0.0.0.0:4001', 'quic'), '/ip4/0.0.0.0/udp/4001/quic-v1')
  t.equal(parseListenAddress('[::1]:0', 'quic'), '/ip6/::1/udp/0/quic-v1')
  for (const text of [
    '4001',
    ':4001',
    '1.2.3:1',
    '[:::1]:1',
    '1.2.3.4:-1',
    'localhost:1',
    '/ip4/',
  ]) {
    t.throws(() => parseListenAddress(text, 'tcp'), { code: 'ABZU_CONFIG_INVALID' }, text)
  }
})

t.test('neighbours of the network', async (t) => {
  t.equal(neighbourOf('/ip4/192.0.2.1/tcp/1'), '192.0.2.1')
  t.equal(neighbourOf('/ip6/2001:db8:1:2::1/tcp/1'), '2001:db8:1:2')
  t.equal(neighbourOf('/ip6/2001:db8:1:2:3:4:5:6/tcp/1'), '2001:db8:1:2')
  t.equal(neighbourOf('/ip6/2001:0db8::5/tcp/1'), neighbourOf('/ip6/2001:db8::9:9/tcp/7'))
  t.equal(neighbourOf('/ip6/::1/tcp/1'), '0:0:0:0')
  t.not(neighbourOf('/ip6/2001:db8:1:2::1/tcp/1'), neighbourOf('/ip6/2001:db8:1:3::1/tcp/1'))
})

t.test('who may connect when places are short', async (t) => {
  const limits = { connectionsMax: 10, connectionsReserved: 3, connectionsPerAddressMax: 2 }
  t.ok(admitsPeer({ isKept: false, count: 6 }, limits))
  t.notOk(admitsPeer({ isKept: false, count: 7 }, limits), 'the rest is reserved')
  t.ok(admitsPeer({ isKept: true, count: 9 }, limits))
  t.notOk(admitsPeer({ isKept: true, count: 10 }, limits))

  const address = '/ip4/192.0.2.1/tcp/5'
  const elsewhere = Array.from({ length: 8 }, (_, n) => `/ip4/198.51.100.${n}/tcp/1`)
  t.ok(admitsAddress({ address, others: [...elsewhere, '/ip4/192.0.2.1/tcp/6'] }, limits))
  t.notOk(admitsAddress({ address, others: Array(2).fill('/ip4/192.0.2.1/tcp/6') }, limits))
  t.notOk(admitsAddress({ address, others: [...elsewhere, ...elsewhere] }, limits))
})
