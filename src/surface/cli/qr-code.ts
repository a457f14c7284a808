/** The most that a QR code of the lowest correction holds. */
const qrBytesMax = 2953

/** `text`, which is ASCII, as block characters, light on dark; nothing where it is too long. */
export async function qrCode(text: string): Promise<string[]> {
  if (text.length > qrBytesMax) return []
  const { encodeQR } = await import('qr')
  return ['', ...encodeQR(text, 'ascii', { ecc: 'low' }).trimEnd().split('\n')]
}
