/**
 * Whether somebody beside the account can open its keyring: for a Child, the pair that its household's Admins and its node
 * hold together. The account itself says so, in its vault: nobody adds themselves.
 * @see docs/protocol.md#oversight
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import { encode } from '../../base/wire/codec.ts'
import { sealKeyBytes } from '../../base/wire/records.ts'
import { bytes, decodeShape, literal, record } from '../../base/wire/shape.ts'
import { keyringDraft, type Keyring } from './keyring.ts'
import type { Prekeys } from './prekeys.ts'
import type { PlainSlotPlace, SlotDraft } from './slot-draft.ts'
import type { Vault } from './vault.ts'

const slotName = 'supervision'
const shape = record({
  v: literal(1),
  publicKey: bytes(sealKeyBytes),
  /** Signing key of the account's device: with another one the keyring was sealed anew, to the account alone. */
  device: bytes(32),
})

export interface SupervisionInit {
  readonly place: PlainSlotPlace & { readonly platform: CryptoPlatform }
  readonly keyring: Keyring
  readonly vault: Pick<Vault, 'get' | 'draft' | 'emptyDraft'>
  /** Signing key of the device that lives here. */
  readonly devicePk: Uint8Array
  /** X-Wing public keys of the words and of the account's devices. */
  readonly own: readonly Uint8Array[]
  readonly prekeys: () => Pick<Prekeys, 'renew'>
  readonly write: (drafts: readonly SlotDraft[]) => Promise<void>
}

export class Supervision {
  readonly #init: SupervisionInit
  #publicKey: Uint8Array | undefined

  constructor(init: SupervisionInit) {
    this.#init = init
  }

  /** X-Wing public key of the pair, 1216 bytes; undefined where there is none. */
  get publicKey(): Uint8Array | undefined {
    return this.#publicKey
  }

  /** Everybody who can open the keyring. */
  get recipients(): readonly Uint8Array[] {
    const { own } = this.#init
    return this.#publicKey ? [...own, this.#publicKey] : own
  }

  /** Reads what the vault says.
   *  @throws {AbzuError} ABZU_SEAL_BROKEN, ABZU_MALFORMED, those of the store */
  async load(): Promise<void> {
    const { vault, devicePk } = this.#init
    const value = await vault.get(slotName)
    const said = value && decodeShape(shape, value, 'supervision')
    this.#publicKey = said && equalBytes(said.device, devicePk) ? said.publicKey : undefined
  }

  /** Lets another pair, or none, open the keyring: what is there already is sealed anew, and what comes is under a new vault key
   *  and a new prekey. All or nothing; resolves after fsync. Nothing else may use the account meanwhile, and where it fails the account
   *  is to be locked.
   *  @param more written in the same moment
   *  @throws {AbzuError} ABZU_QUOTA_EXCEEDED, those of the store */
  async change(publicKey: Uint8Array | undefined, more: readonly SlotDraft[] = []): Promise<void> {
    const { place, keyring, vault, devicePk, prekeys, write } = this.#init
    this.#publicKey = publicKey
    const vaultKey = { kind: 'vault', secret: place.platform.random(32) } as const
    const drafts: SlotDraft[] = [...more]
    // in the order of their age: of several vault keys the last one seals
    for (const secret of [...keyring.secrets, vaultKey]) {
      drafts.push(await keyringDraft(place, secret, this.recipients))
    }
    keyring.keep(vaultKey)
    drafts.push(
      publicKey
        ? vault.draft(slotName, encode({ v: 1, publicKey, device: devicePk }))
        : vault.emptyDraft(slotName),
    )
    await write(drafts)
    await prekeys().renew()
  }
}
