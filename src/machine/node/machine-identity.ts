/** Who this machine is in the mesh: an Ed25519 key in a file of its own. @module */

import { peerIdOf } from '../../base/crypto/address.ts'
import type { Ed25519 } from '../../base/crypto/platform.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { concatBytes, equalBytes, utf8 } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { createSecretFile, readSecretFile } from './secret-file.ts'

export interface MachineIdentityInit {
  /** Path of the key file; its directory exists. */
  readonly file: string
  readonly platform: {
    random(length: number): Uint8Array
    readonly ed25519: Pick<Ed25519, 'publicKey' | 'sign'>
  }
  /** A key of the operator's own, 32 bytes: stored on first use, and the same ever after. */
  readonly suppliedSeed?: Uint8Array
}

export interface MachineIdentity {
  /** Ed25519 seed, 32 bytes. */
  readonly seed: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** The machine's mesh address; anyone can compute it from the public key. */
  readonly peerId: PeerId
  /** An Ed25519 signature, 64 bytes. `bytes` begin with a label of `base/crypto/labels.ts`. */
  sign(bytes: Uint8Array): Uint8Array
}

/** What the file holds: `magic | seed[32] | public key[32]`. The public key tells a damaged seed from a whole one. */
const magic = utf8('abzu machine key 1\n')
const seedBytes = 32
const fileBytes = magic.length + 2 * seedBytes

/** The identity in `file`, which is created where there is none.
 *  @throws {AbzuError} ABZU_INSECURE_MODE where others may read the file; ABZU_FILE_INVALID where it is damaged or
 *  another key is supplied: it is never overwritten; ABZU_INVALID_ARGUMENT, ABZU_DISK_FULL, ABZU_IO */
export async function loadMachineIdentity({
  file,
  platform,
  suppliedSeed,
}: MachineIdentityInit): Promise<MachineIdentity> {
  const { ed25519 } = platform
  if (suppliedSeed && suppliedSeed.length !== seedBytes) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a machine key has 32 bytes')
  }
  const stored = await readSecretFile(file, { bytesMax: fileBytes + 1 })
  const seed = stored
    ? seedOf(stored, { file, ed25519 })
    : (suppliedSeed ?? platform.random(seedBytes))
  const publicKey = ed25519.publicKey(seed)
  if (suppliedSeed && !equalBytes(seed, suppliedSeed)) {
    throw invalid(file, `holds the key of another machine, ${peerIdOf(publicKey)}`)
  }
  if (!stored) await createSecretFile(file, concatBytes(magic, seed, publicKey))
  return {
    seed,
    publicKey,
    peerId: peerIdOf(publicKey),
    sign: (bytes) => ed25519.sign(seed, bytes),
  }
}

function seedOf(
  stored: Uint8Array,
  { file, ed25519 }: { file: string; ed25519: Pick<Ed25519, 'publicKey'> },
): Uint8Array {
  const isOurs = equalBytes(stored.subarray(0, magic.length), magic)
  if (!isOurs || stored.length !== fileBytes)
    throw invalid(file, 'is no machine key, or not all of one')
  const seed = stored.slice(magic.length, magic.length + seedBytes)
  if (!equalBytes(ed25519.publicKey(seed), stored.subarray(magic.length + seedBytes))) {
    throw invalid(file, 'is damaged')
  }
  return seed
}

function invalid(file: string, why: string): AbzuError {
  return new AbzuError('ABZU_FILE_INVALID', `${file} ${why}; it was left as it is`)
}
