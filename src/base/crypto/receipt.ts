import { concatBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { encode } from '../wire/codec.ts'
import { receiptShape, type Receipt } from '../wire/records.ts'
import { decodeShape } from '../wire/shape.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'
import { openStatement } from './signature.ts'

/** A holder's statement that items are durable. `sign` is the machine key's, over the bytes given.
 *  @see docs/protocol.md#receipts */
export function signReceipt(sign: (bytes: Uint8Array) => Uint8Array, receipt: Receipt): Uint8Array {
  const body = encode(receiptShape(receipt, 'receipt'))
  return concatBytes(body, sign(concatBytes(labels.receipt, body)))
}

/** Verifies a receipt of the machine `machinePk`.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function openReceipt(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  machinePk: Uint8Array,
  signed: Uint8Array,
): Receipt {
  const body = openStatement(platform, labels.receipt, machinePk, signed)
  const receipt = decodeShape(receiptShape, body, 'receipt')
  if (receipt.ids.length % 32 !== 0) {
    throw new AbzuError('ABZU_MALFORMED', 'a receipt whose ids are cut off')
  }
  return receipt
}
