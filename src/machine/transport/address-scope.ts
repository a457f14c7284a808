/** How far an address reaches, by its text alone: no name is looked up. @module */

/** `loopback`: this machine only. `lan`: private and link-local ranges. `public`: all others, and names. */
export type AddressScope = 'loopback' | 'lan' | 'public'

/** The scope of `/ip4|ip6|dns.../<host>/...`. */
export function addressScope(address: string): AddressScope {
  const [, family = '', host = ''] = address.split('/')
  if (family === 'ip4') return scopeOfIp4(host)
  if (family === 'ip6') return scopeOfIp6(host.toLowerCase())
  return 'public'
}

function scopeOfIp4(host: string): AddressScope {
  const [a = 0, b = 0] = host.split('.').map(Number)
  // a dial of 0.0.0.0 arrives at this machine
  if (a === 127 || a === 0) return 'loopback'
  const isPrivate =
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  return isPrivate ? 'lan' : 'public'
}

function scopeOfIp6(host: string): AddressScope {
  if (host === '::1' || host === '::') return 'loopback'
  const inner = /^::(?:ffff:)?(?<dotted>[\d.]+\.\d+)$/.exec(host)?.groups?.['dotted']
  if (inner) return scopeOfIp4(inner)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host) ?? []
  if (high && low) {
    const word = Number.parseInt(high, 16)
    return scopeOfIp4(`${word >> 8}.${word & 0xff}.0.0`)
  }
  const first = Number.parseInt(host.split(':')[0] || '0', 16)
  const isPrivate = (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80
  return isPrivate ? 'lan' : 'public'
}
