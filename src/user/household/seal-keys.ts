import { mailboxIdOf } from '../../base/crypto/address.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { readIdentity } from '../account/identity.ts'
import type { HostingPort } from '../account/ports.ts'

/** X-Wing public keys of the devices of an account that lives here, locked or not.
 *  @throws {AbzuError} ABZU_NOT_HOSTED, those of readIdentity */
export async function sealKeysOf(
  deps: { readonly platform: CryptoPlatform; readonly hosting: Pick<HostingPort, 'mailbox'> },
  rootPk: Uint8Array,
): Promise<Uint8Array[]> {
  const { platform, hosting } = deps
  const port = hosting.mailbox(mailboxIdOf(platform, rootPk))
  const { devices } = await readIdentity({ platform, port, rootPk })
  return devices.flatMap(({ sealPk }) => sealPk ?? [])
}
