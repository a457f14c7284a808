/** Addresses of machines, as people and records write them. @module */

import { multiaddr } from '@multiformats/multiaddr'
import { parsePeerId } from '../../base/crypto/address.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { wireLimits } from '../../base/wire/limits.ts'

export interface DialAddress {
  readonly peerId: PeerId
  /** In its normal form, with the peer id. */
  readonly text: string
}

const hostNames = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6'])

/** An address to dial: `/ip4|ip6|dns|dns4|dns6/<host>/tcp/<port>/p2p/<Ed25519 peer id>`, nothing else.
 *  @throws {AbzuError} ABZU_ADDRESS_INVALID */
export function parseDialAddress(text: string): DialAddress {
  if (text.length > wireLimits.addressBytesMax) throw invalid()
  const [host, tcp, p2p, ...rest] = componentsOf(text)
  const isKnown = hostNames.has(host?.name ?? '') && tcp?.name === 'tcp' && p2p?.name === 'p2p'
  if (!isKnown || rest.length > 0 || !host?.value || Number(tcp.value) < 1) throw invalid()
  const peerId = parsePeerId(p2p.value ?? '')
  return { peerId, text: `/${host.name}/${host.value}/tcp/${tcp.value}/p2p/${peerId}` }
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
export function parseListenAddress(text: string): string {
  const match = /^(?:(?<ip4>[0-9.]+)|\[(?<ip6>[0-9a-fA-F:.]+)\]):(?<port>[0-9]{1,5})$/.exec(text)
  const { ip4, ip6, port } = match?.groups ?? {}
  try {
    if (!port) throw invalid()
    return multiaddr(ip4 ? `/ip4/${ip4}/tcp/${port}` : `/ip6/${ip6}/tcp/${port}`).toString()
  } catch (cause) {
    throw new AbzuError('ABZU_CONFIG_INVALID', `not an address to listen at: ${text}`, { cause })
  }
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

function componentsOf(text: string): ReturnType<ReturnType<typeof multiaddr>['getComponents']> {
  try {
    return multiaddr(text).getComponents()
  } catch (cause) {
    throw invalid(cause)
  }
}

function invalid(cause?: unknown): AbzuError {
  const message = 'not an address of the form /ip4/<address>/tcp/<port>/p2p/<peer id>'
  return new AbzuError('ABZU_ADDRESS_INVALID', message, { cause })
}
