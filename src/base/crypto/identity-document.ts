import { equalBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { encode } from '../wire/codec.ts'
import { identityDocumentShape, type IdentityDocument } from '../wire/records.ts'
import { decodeShape } from '../wire/shape.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'
import { openStatement, signStatement } from './signature.ts'

const identityDocumentBytesMax = 8192

/** The document in which the account's root lists its devices and the revoked ones.
 *  @see docs/protocol.md#keys */
export function signIdentityDocument(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  rootSeed: Uint8Array,
  document: IdentityDocument,
): Uint8Array {
  const body = encode(identityDocumentShape(document, 'identity document'))
  return signStatement(platform, labels.identityDocument, rootSeed, body)
}

/** Verifies an identity document of the account `expectedRootPk`.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function openIdentityDocument(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  signed: Uint8Array,
  expectedRootPk: Uint8Array,
): IdentityDocument {
  if (signed.length > identityDocumentBytesMax) {
    throw new AbzuError('ABZU_MALFORMED', `an identity document of ${signed.length} bytes`)
  }
  const body = openStatement(platform, labels.identityDocument, expectedRootPk, signed)
  const document = decodeShape(identityDocumentShape, body, 'identity document')
  if (!equalBytes(document.account, expectedRootPk)) {
    throw new AbzuError('ABZU_SIGNATURE_INVALID', 'an identity document of another account')
  }
  return document
}
