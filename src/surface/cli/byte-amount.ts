/** Bytes as a person reads them: `5 kB`, `1.2 MB`. */
export function byteAmount(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
