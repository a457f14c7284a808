import { hash } from 'node:crypto'

const blockBytes = 64
const digestBytes = 32

/** HMAC-SHA-256 (RFC 2104) over one-shot hashes: `createHmac` takes five times as long for the short
 *  messages of a door or of HKDF. */
export function nodeHmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const short = key.length > blockBytes ? hash('sha256', key, 'buffer') : key
  const length = parts.reduce((sum, part) => sum + part.length, blockBytes)
  const inner = new Uint8Array(length)
  const outer = new Uint8Array(blockBytes + digestBytes)
  for (let i = 0; i < blockBytes; i++) {
    const byte = i < short.length ? (short[i] as number) : 0
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  let offset = blockBytes
  for (const part of parts) {
    inner.set(part, offset)
    offset += part.length
  }
  outer.set(hash('sha256', inner, 'buffer'), blockBytes)
  const digest = hash('sha256', outer, 'buffer')
  inner.fill(0, 0, blockBytes)
  outer.fill(0, 0, blockBytes)
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.length)
}
