/** A store with small segments and a clock that moves by hand, and what of it most tests remove. @module */

import type { Test } from 'tap'
import type { Store, StoreInit } from '../../src/base/store/store.ts'
import { ManualTime } from './manual-time.ts'
import { openRawStore, type RawBodies, type RawRows } from './raw-store.ts'
import { itemOf, mailboxNamed } from './store-content.ts'

const mailbox = mailboxNamed('m')
const count = 60

/** Mail number `n` of the one mailbox. */
export const sweptMail = (n: number) =>
  itemOf(mailbox, `mail ${n} `.repeat(20), { expiresAtHours: 500_000 })

const numbers = Array.from({ length: count }, (_, n) => n)
/** What stays. */
export const keptNumbers = numbers.filter((n) => n % 3 === 0)
/** What is removed, so that every segment is mostly empty. */
export const goneNumbers = numbers.filter((n) => n % 3 !== 0)

export interface SweptStore {
  readonly time: ManualTime
  readonly store: Store
  readonly raw: RawRows
  readonly bodies: RawBodies
  /** Lets promises settle, then awaits. */
  settle<T>(work: Promise<T>): Promise<T>
  fill(from: number, to: number): Promise<void>
  remove(gone: readonly number[]): Promise<void>
  /** Lets half a minute pass. */
  sweep(): Promise<void>
}

/** Closed by the test. */
export async function openSwept(
  t: Test,
  decorate?: NonNullable<StoreInit['decorate']>,
): Promise<SweptStore> {
  const time = new ManualTime()
  const { store, raw, bodies } = await openRawStore({
    ...(decorate && { decorate }),
    clock: time,
    scheduler: time,
    limits: { segmentBytesMax: 1000, journaledItemsMax: 4 },
  })
  const settle = async <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {})
    await time.settle()
    return work
  }
  t.teardown(async () => settle(store.close()))
  return {
    time,
    store,
    raw,
    bodies,
    settle,
    async fill(from, to) {
      for (let n = from; n < to; n++) await settle(store.items.append([sweptMail(n)]))
    },
    async remove(gone) {
      await settle(
        store.items.remove(
          mailbox,
          gone.map((n) => sweptMail(n).id),
        ),
      )
    },
    async sweep() {
      for (let turn = 0; turn < 30; turn++) await time.advance(1000)
    },
  }
}
