/** The secrets of an account that outlive a device: vault keys, the name key, private prekeys. @module */

import { keyringIdOf, sealKeyringItem, type KeyringSecret } from '../../base/crypto/keyring.ts'
import { prekeyIdOf } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { vaultGenerationOf } from '../../base/crypto/vault-cipher.ts'
import { mapKey } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import { plainDraft, type PlainSlotPlace, type SlotDraft } from './slot-draft.ts'

export interface Prekey {
  /** 8 bytes. */
  readonly keyId: Uint8Array
  /** X-Wing, 1216 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes. */
  readonly seed: Uint8Array
}

/** The plain slot that keeps a secret. */
export function keyringSlotName(
  platform: Pick<CryptoPlatform, 'sha256'>,
  secret: KeyringSecret,
): string {
  return plainSlotName.keyring(keyringIdOf(platform, secret))
}

/** A secret sealed to X-Wing public keys: the recovery key and the devices. */
export async function keyringDraft(
  place: PlainSlotPlace & { readonly platform: CryptoPlatform },
  secret: KeyringSecret,
  recipients: readonly Uint8Array[],
): Promise<SlotDraft> {
  return plainDraft(place, {
    name: keyringSlotName(place.platform, secret),
    kind: plainSlotKind.keyring,
    content: await sealKeyringItem(place.platform, secret, recipients),
  })
}

export class Keyring {
  readonly #platform: Pick<CryptoPlatform, 'sha256' | 'kem'>
  readonly #vaultKeys = new Map<string, Uint8Array>()
  readonly #prekeys = new Map<string, Prekey>()
  #vaultKey: Uint8Array | undefined
  #nameKey: Uint8Array | undefined

  constructor(platform: Pick<CryptoPlatform, 'sha256' | 'kem'>) {
    this.#platform = platform
  }

  /** Hashes the names of sealed slots.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  get nameKey(): Uint8Array {
    return found(this.#nameKey, 'name key')
  }

  /** The newest vault key, which seals.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  get vaultKey(): Uint8Array {
    return found(this.#vaultKey, 'vault key')
  }

  /** Without these two nothing of the vault opens; a copy that was cut off may lack them.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  expectWhole(): void {
    found(this.#nameKey, 'name key')
    found(this.#vaultKey, 'vault key')
  }

  /** Private prekeys that were not destroyed. */
  get prekeys(): readonly Prekey[] {
    return [...this.#prekeys.values()]
  }

  /** Everything, oldest vault key first. */
  get secrets(): readonly KeyringSecret[] {
    const vaultKeys = [...this.#vaultKeys.values()]
    const prekeys = [...this.#prekeys.values()]
    return [
      ...(this.#nameKey ? [{ kind: 'name' as const, secret: this.#nameKey }] : []),
      ...vaultKeys.map((secret) => ({ kind: 'vault' as const, secret })),
      ...prekeys.map(({ seed: secret }) => ({ kind: 'prekey' as const, secret })),
    ]
  }

  vaultKeyOf(generation: Uint8Array): Uint8Array | undefined {
    return this.#vaultKeys.get(mapKey(generation))
  }

  prekey(keyId: Uint8Array): Prekey | undefined {
    return this.#prekeys.get(mapKey(keyId))
  }

  /** Takes a secret in; of several vault keys the last one is the newest. */
  keep({ kind, secret }: KeyringSecret): void {
    switch (kind) {
      case 'vault':
        this.#vaultKey = secret
        this.#vaultKeys.set(mapKey(vaultGenerationOf(this.#platform, secret)), secret)
        break
      case 'name':
        this.#nameKey = secret
        break
      case 'prekey': {
        const publicKey = this.#platform.kem.publicKey(secret)
        const keyId = prekeyIdOf(this.#platform, publicKey)
        this.#prekeys.set(mapKey(keyId), { keyId, publicKey, seed: secret })
        break
      }
    }
  }

  /** Overwrites a private prekey in memory. */
  forget({ keyId, seed }: Prekey): void {
    seed.fill(0)
    this.#prekeys.delete(mapKey(keyId))
  }

  /** Overwrites everything, as far as the runtime lets us: copies that it made stay until collected. */
  wipe(): void {
    for (const { seed } of this.#prekeys.values()) seed.fill(0)
    for (const key of this.#vaultKeys.values()) key.fill(0)
    this.#nameKey?.fill(0)
    this.#nameKey = undefined
    this.#vaultKey = undefined
    this.#prekeys.clear()
    this.#vaultKeys.clear()
  }
}

function found(key: Uint8Array | undefined, what: string): Uint8Array {
  if (!key) throw new AbzuError('ABZU_STORE_DAMAGED', `the account's ${what} is missing`)
  return key
}
