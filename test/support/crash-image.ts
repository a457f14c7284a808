import { cpSync } from 'node:fs'

/** A copy of a store's files as they are, at `image`: what a crash at this moment leaves. LOCK is left out:
 *  whoever closes it, after reading too, gives up the lock of the process. */
export function crashImage(dir: string, image: string): string {
  cpSync(dir, image, { recursive: true, filter: (path) => !path.endsWith('/LOCK') })
  return image
}
