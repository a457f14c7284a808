/** Which addresses of strangers a node dials: no name, and nothing inside a network that it is not in itself. @module */

import { BlockList } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Clock } from '../../base/util/clock.ts'

/** Addresses that mean something inside one network only, or that reach an IPv4 address in another form. */
const insideOnly = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  insideOnly.addSubnet(net, prefix, 'ipv4')
}
for (const [net, prefix] of [
  ['::', 96],
  ['64:ff9b::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  insideOnly.addSubnet(net, prefix, 'ipv6')
}

/** Networks of the interfaces of this machine, its loopback included. */
function ownSubnets(): BlockList {
  const own = new BlockList()
  for (const info of Object.values(networkInterfaces()).flat()) {
    const prefix = Number(info?.cidr?.split('/')[1] ?? Number.NaN)
    if (!info || !Number.isInteger(prefix)) continue
    own.addSubnet(info.address, prefix, info.family === 'IPv6' ? 'ipv6' : 'ipv4')
  }
  return own
}

/** A network that this machine has just joined is known after so long. */
const lookMs = 10_000

/** Returns which of some addresses may be dialled although nobody of this node's household named them. Loopback is an
 *  own network: nodes of one machine find each other by it. */
export function dialableBy(
  clock: Pick<Clock, 'monotonicMs'>,
): (addresses: readonly string[]) => string[] {
  let own = ownSubnets()
  let lookedAtMs = clock.monotonicMs()
  return (addresses) => {
    if (clock.monotonicMs() - lookedAtMs > lookMs) {
      own = ownSubnets()
      lookedAtMs = clock.monotonicMs()
    }
    return addresses.filter((address) => {
      const [, name, host = ''] = address.split('/')
      if (name !== 'ip4' && name !== 'ip6') return false
      const family = name === 'ip4' ? 'ipv4' : 'ipv6'
      return !insideOnly.check(host, family) || own.check(host, family)
    })
  }
}
