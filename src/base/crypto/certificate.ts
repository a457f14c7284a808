import { equalBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { encode } from '../wire/codec.ts'
import { deviceCertificateShape, type DeviceCertificate } from '../wire/records.ts'
import { decodeShape } from '../wire/shape.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'
import { openStatement, signStatement, unverifiedBody } from './signature.ts'

const certificateBytesMax = 512

/** The certificate by which the account's root lets a device speak for it.
 *  @see docs/protocol.md#keys */
export function signDeviceCertificate(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  rootSeed: Uint8Array,
  certificate: DeviceCertificate,
): Uint8Array {
  const body = encode(deviceCertificateShape(certificate, 'device certificate'))
  return signStatement(platform, labels.deviceCertificate, rootSeed, body)
}

/** Verifies a certificate by the account that it names, which is `expectedRootPk` where one is given.
 *  Whether the device was revoked since, the identity document says.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function openDeviceCertificate(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  signed: Uint8Array,
  expectedRootPk?: Uint8Array,
): DeviceCertificate {
  if (signed.length > certificateBytesMax) {
    throw new AbzuError('ABZU_MALFORMED', `a device certificate of ${signed.length} bytes`)
  }
  const body = unverifiedBody(signed)
  const certificate = decodeShape(deviceCertificateShape, body, 'device certificate')
  if (expectedRootPk && !equalBytes(certificate.account, expectedRootPk)) {
    throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a device certificate of another account')
  }
  openStatement(platform, labels.deviceCertificate, certificate.account, signed)
  return certificate
}
