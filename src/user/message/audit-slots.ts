/** Entries of a Child's audit, as its vault keeps them: each under its own hash. @module */

import { auditHash } from '../../base/crypto/audit-chain.ts'
import { toHex } from '../../base/util/bytes.ts'
import type { Account } from '../account/account.ts'
import type { SlotDraft } from '../account/slot-draft.ts'

/** Puts an entry into the vault, once it is written. */
export function auditDraft(account: Account, entry: Uint8Array): SlotDraft {
  return account.vault.draft(slotNameOf(auditHash(account.platform, account.rootPk, entry)), entry)
}

/** The entry of this hash, where the vault has it.
 *  @throws {AbzuError} ABZU_SEAL_BROKEN, ABZU_MALFORMED, those of the store */
export async function readAuditEntry(
  account: Account,
  hash: Uint8Array,
): Promise<Uint8Array | undefined> {
  return account.vault.get(slotNameOf(hash))
}

function slotNameOf(hash: Uint8Array): string {
  return `audit/${toHex(hash)}`
}
