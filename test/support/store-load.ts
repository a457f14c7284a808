/**
 * Load on a store in a process of its own, so that it can be killed and its system calls can fail. What
 * it was told to be durable it says on stdout, a line each: `ack 17`, `gone 17`; the error that ends it:
 * `error CODE`; and what five more calls got: `late CODE` or `late ok`.
 *
 * Run with `{"dir", "limits", "first", "commits"}` as its argument.
 * @module
 */

import { writeSync } from 'node:fs'
import type { StoreLimits } from '../../src/base/store/store-limits.ts'
import type { NewItem } from '../../src/base/store/item-store.ts'
import type { AbzuError } from '../../src/base/util/errors.ts'
import { seededIntegers } from './hostile.ts'
import { itemOf, mailboxNamed, openTestStore } from './store-content.ts'

export interface StoreLoad {
  readonly dir: string
  readonly limits?: Partial<StoreLimits>
  /** Number of the first item. */
  readonly first: number
  /** Calls at most; until killed where it is missing. */
  readonly calls?: number
}

const mailbox = mailboxNamed('load')

/** Item `n`, of 100 bytes to 8 KB: the same in every process. */
export function loadItem(n: number): NewItem {
  const draw = seededIntegers(n)
  return itemOf(
    mailbox,
    Uint8Array.from({ length: 100 + draw(8000) }, () => draw(256)),
  )
}

const say = (line: string) => writeSync(1, `${line}\n`)

async function run({ dir, limits, first, calls = Infinity }: StoreLoad): Promise<void> {
  const draw = seededIntegers(first)
  const store = await openTestStore({
    dir,
    limits: { writeBufferBytes: 256 * 1024, segmentBytesMax: 256 * 1024, ...limits },
  })
  say('open')
  let next = first
  const call = async () => {
    if (draw(4) === 0 && next - first > 10) {
      const n = first + draw(next - first - 10)
      say(`going ${n}`)
      await store.items.remove(mailbox, [loadItem(n).id])
      say(`gone ${n}`)
    } else {
      const numbers = Array.from({ length: 1 + draw(8) }, () => next++)
      await store.items.append(numbers.map(loadItem))
      for (const n of numbers) say(`ack ${n}`)
    }
  }
  try {
    for (let made = 0; made < calls;) {
      const burst = Array.from({ length: 1 + draw(5) }, call)
      made += burst.length
      await Promise.all(burst)
    }
  } catch (error) {
    say(`error ${(error as AbzuError).code}`)
    for (let n = 0; n < 5; n++) {
      await store.items.append([loadItem(next++)]).then(
        () => say('late ok'),
        (late: AbzuError) => say(`late ${late.code}`),
      )
    }
  }
  await store.close()
  say('closed')
}

if (import.meta.main) {
  run(JSON.parse(process.argv[2] as string) as StoreLoad).catch((error: AbzuError) => {
    say(`error ${error.code}`)
    process.exitCode = 1
  })
}
