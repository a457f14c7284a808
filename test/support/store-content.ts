/** Items and slots for tests of stores; their signatures are zeros, since no store looks at them. @module */

import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { NewItem, StoredSlot } from '../../src/base/store/item-store.ts'
import { openStore, type Store, type StoreInit } from '../../src/base/store/store.ts'
import type { ItemId, MailboxId } from '../../src/base/util/brand.ts'
import { concatBytes, utf8 } from '../../src/base/util/bytes.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import { encodeSlotHeader, slotClass, type SlotClass } from '../../src/base/wire/slot.ts'

export const storePlatform = nodePlatform()

export function mailboxNamed(name: string): MailboxId {
  return storePlatform.sha256(utf8(`mailbox ${name}`)) as MailboxId
}

/** An item with its true id. */
export function itemOf(
  mailbox: MailboxId,
  body: string | Uint8Array,
  rest: Partial<Omit<NewItem, 'mailbox' | 'id' | 'body'>> = {},
): NewItem {
  const bytes = typeof body === 'string' ? utf8(body) : body
  return {
    mailbox,
    kind: 'mail',
    id: storePlatform.sha256(bytes) as ItemId,
    receivedAtMs: 1_767_268_800_000,
    expiresAtHours: 0,
    pool: 1,
    body: bytes,
    ...rest,
  }
}

export interface SlotValues {
  readonly name: string
  readonly version: number
  readonly body: string
  /** @default by the name */
  readonly key?: Uint8Array
  readonly class?: SlotClass
  /** Makes other signed bytes of the same content. */
  readonly variant?: number
}

export function slotKeyNamed(name: string): Uint8Array {
  return storePlatform.sha256(utf8(`slot ${name}`)).subarray(0, 20)
}

export function slotOf(mailbox: MailboxId, values: SlotValues): StoredSlot {
  const body = utf8(values.body)
  const unsigned = encodeSlotHeader({
    class: values.class ?? slotClass.sealed,
    mailbox,
    key: values.key ?? slotKeyNamed(values.name),
    version: values.version,
    bodyHash: storePlatform.sha256(body),
    device: new Uint8Array(32),
  })
  return { signed: concatBytes(unsigned, new Uint8Array(64).fill(values.variant ?? 0)), body }
}

/** A store with the clock of the machine. */
export async function openTestStore(
  init: Partial<StoreInit> & Pick<StoreInit, 'dir'>,
): Promise<Store> {
  return openStore({
    platform: storePlatform,
    clock: systemClock,
    scheduler: systemScheduler,
    log: silentLog,
    ...init,
    limits: { ballastBytes: 0, reserveBytes: 0, ...init.limits },
  })
}

/** Everything that `items` yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}
