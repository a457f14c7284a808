import { createHash } from 'node:crypto'

/** The hash by which libp2p places keys and peers in the mesh, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}
