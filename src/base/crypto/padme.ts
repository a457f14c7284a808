/** Bits that Padmé leaves free below the leading ones of a length of `bits` bits. */
function freeBits(length: number): number {
  const exponent = Math.floor(Math.log2(length))
  const kept = Math.floor(Math.log2(exponent)) + 1
  return exponent - kept
}

/** The length to which Padmé pads `length` bytes, 2 or more and below 2^31: at most 12% more, and
 *  one of few.
 *  @see https://bford.info/pub/sec/purb.pdf section 4 */
export function padmeLength(length: number): number {
  const mask = 2 ** freeBits(length) - 1
  return (length + mask) & ~mask
}
