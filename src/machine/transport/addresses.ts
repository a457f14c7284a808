/** Addresses of machines, as people and records write them. @module */

import { multiaddr, type Component } from '@multiformats/multiaddr'
import { parsePeerId } from '../../base/crypto/address.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { wireLimits } from '../../base/wire/limits.ts'

export interface DialAddress {
  readonly peerId: PeerId
  /** In its normal form, with the peer id. */
  readonly text: string
}

/** What a machine listens by. */
export type Carrier = 'tcp' | 'quic'

/** The components of an address between the host and the peer id, and the hosts that go with them. */
const dialHosts: Readonly<Record<string, readonly string[] | undefined>> = {
  tcp: ['ip4', 'ip6', 'dns', 'dns4', 'dns6'],
  'udp/quic-v1': ['ip4', 'ip6'],
}

/** An address to dial: `/ip4|ip6|dns|dns4|dns6/<host>/tcp/<port>/p2p/<Ed25519 peer id>`,
 *  `/ip4|ip6/<host>/udp/<port>/quic-v1/p2p/<Ed25519 peer id>`, nothing else.
 *  @throws {AbzuError} ABZU_ADDRESS_INVALID */
export function parseDialAddress(text: string): DialAddress {
  const [place, p2p, ...rest] = placeOf(text)
  if (p2p?.name !== 'p2p' || rest.length > 0) throw invalid()
  const peerId = parsePeerId(p2p.value ?? '')
  return { peerId, text: `${place}/p2p/${peerId}` }
}

/** Host, port and carrier in their normal form, and what follows them. */
function placeOf(text: string): [place: string, ...rest: Component[]] {
  if (text.length > wireLimits.addressBytesMax) throw invalid()
  const [host, ...way] = componentsOf(text)
  const end = way.findIndex(({ name }) => name === 'p2p')
  const rest = end < 0 ? [] : way.splice(end)
  const hosts = dialHosts[way.map(({ name }) => name).join('/')] ?? []
  const port = way[0]?.value
  const isKnown = hosts.includes(host?.name ?? '')
  if (!isKnown || !host?.value || !port || Number(port) < 1) throw invalid()
  const [carrier = ''] = way.slice(1).map(({ name }) => `/${name}`)
  return [`/${host.name}/${host.value}/${way[0]?.name}/${port}${carrier}`, ...rest]
}

/** An address to announce: one to dial, without the peer id, in its normal form.
 *  @throws {AbzuError} ABZU_CONFIG_INVALID */
export function parseAnnouncedAddress(text: string): string {
  try {
    const [place, ...rest] = placeOf(text)
    if (rest.length > 0) throw invalid()
    return place
  } catch (cause) {
    throw new AbzuError('ABZU_CONFIG_INVALID', `not an address to announce: ${text}`, { cause })
  }
}

/** The addresses in `texts` that can be dialled and name `peerId`; others are skipped. */
export function dialAddressesOf(peerId: PeerId, texts: readonly string[]): string[] {
  const usable = new Set<string>()
  for (const text of texts) {
    try {
      const address = parseDialAddress(text)
      if (address.peerId === peerId) usable.add(address.text)
    } catch (error) {
      if (!(error instanceof AbzuError)) throw error
    }
  }
  return [...usable]
}

/** The multiaddr of a place to listen at, `<IPv4>:<port>` or `[<IPv6>]:<port>`; port 0 is any.
 *  @throws {AbzuError} ABZU_CONFIG_INVALID */
export function parseListenAddress(text: string, carrier: Carrier): string {
  const match = /^(?:(?<ip4>[0-9.]+)|\[(?<ip6>[0-9a-fA-F:.]+)\]):(?<port>[0-9]{1,5})$/.exec(text)
  const { ip4, ip6, port } = match?.groups ?? {}
  try {
    if (!port) throw invalid()
    const way = carrier === 'tcp' ? `tcp/${port}` : `udp/${port}/quic-v1`
    return multiaddr(`${ip4 ? `/ip4/${ip4}` : `/ip6/${ip6}`}/${way}`).toString()
  } catch (cause) {
    throw new AbzuError('ABZU_CONFIG_INVALID', `not an address to listen at: ${text}`, { cause })
  }
}

/** What an address that was parsed here is dialled or listened at by. */
export function carrierOf(address: string): Carrier {
  return /\/quic-v1(\/|$)/.test(address) ? 'quic' : 'tcp'
}

/** Loopback last; the addresses of one host together, so that a list that is cut has all kinds. */
export function inOrderOfUse(addresses: readonly string[]): string[] {
  const hostOf = (address: string) => address.split('/', 3).join('/')
  const isLoopback = (host: string) => /^\/ip4\/127\.|^\/ip6\/::1$/.test(host)
  const hosts = [...new Set(addresses.map(hostOf))]
  const sorted = [
    ...hosts.filter((host) => !isLoopback(host)),
    ...hosts.filter((host) => isLoopback(host)),
  ]
  return sorted.flatMap((host) => addresses.filter((address) => hostOf(address) === host))
}

/** What stands for one network neighbour: an IPv4 address, or the /64 of an IPv6 address. */
export function neighbourOf(address: string): string {
  const [, name, host = ''] = address.split('/')
  if (name !== 'ip6') return host
  const [head = '', tail] = host.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail ? tail.split(':') : []
  const gap = Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0')
  const groups = tail === undefined ? front : [...front, ...gap, ...back]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

function componentsOf(text: string): Component[] {
  try {
    return multiaddr(text).getComponents()
  } catch (cause) {
    throw invalid(cause)
  }
}

function invalid(cause?: unknown): AbzuError {
  const message =
    'not an address of the form /ip4/<address>/tcp/<port>/p2p/<peer id>, or with udp/<port>/quic-v1'
  return new AbzuError('ABZU_ADDRESS_INVALID', message, { cause })
}
