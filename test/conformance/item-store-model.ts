/**
 * Holds a store against a model made of Maps, over random histories.
 * @module
 */

import fc from 'fast-check'
import type { Test } from 'tap'
import type { NewItem, StoredSlot } from '../../src/base/store/item-store.ts'
import type { Store } from '../../src/base/store/store.ts'
import type { RowChange } from '../../src/base/store/table.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { fromUtf8, toHex, utf8 } from '../../src/base/util/bytes.ts'
import { slotClass } from '../../src/base/wire/slot.ts'
import { holdsInTime } from '../support/property.ts'
import {
  collect,
  itemOf,
  mailboxNamed,
  slotOf,
  storePlatform,
  type SlotValues,
} from '../support/store-content.ts'

const mailboxes = ['a', 'b'].map(mailboxNamed)
const hours = 1000

interface ModelSlot {
  readonly version: number
  readonly id: string
  readonly body: string
  readonly class: number
}

interface ModelMailbox {
  /** By hex id, in order of arrival. */
  readonly items: Map<string, NewItem>
  readonly slots: Map<string, ModelSlot>
}

class Model {
  readonly mailboxes = new Map<MailboxId, ModelMailbox>(
    mailboxes.map((mailbox) => [mailbox, { items: new Map(), slots: new Map() }]),
  )
  readonly rows = new Map<string, string>()

  of(mailbox: MailboxId): ModelMailbox {
    return this.mailboxes.get(mailbox) as ModelMailbox
  }

  write(rows: readonly RowChange[]): void {
    for (const { key, value } of rows) {
      if (value) this.rows.set(toHex(key), toHex(value))
      else this.rows.delete(toHex(key))
    }
  }
}

/** One call: what it does to the model at once, and to the store in time. */
interface Call {
  readonly label: string
  apply(model: Model): void
  run(store: Store): Promise<void>
}

const mailbox = fc.constantFrom(...mailboxes)
const row = fc
  .record({ key: fc.integer({ min: 0, max: 5 }), value: fc.option(fc.string({ maxLength: 5 })) })
  .map(({ key, value }): RowChange => {
    const bytes = value === null ? undefined : utf8(value)
    return { table: 'outbox', key: Uint8Array.of(key), value: bytes }
  })
const rows = fc.array(row, { maxLength: 2 })

const item = fc
  .record({
    mailbox,
    body: fc.integer({ min: 0, max: 30 }),
    kind: fc.constantFrom('mail' as const, 'chunk' as const),
    pool: fc.integer({ min: 0, max: 3 }),
    expiresAtHours: fc.constantFrom(0, hours, hours + 1, hours + 2),
  })
  .map(({ mailbox, body, ...rest }) => itemOf(mailbox, `body ${body}`, rest))

const append = fc
  .record({ items: fc.array(item, { maxLength: 5 }), rows })
  .map(({ items, rows }): Call => {
    return {
      label: `append ${items.length}`,
      apply(model) {
        for (const item of items) {
          const { items } = model.of(item.mailbox)
          if (!items.has(toHex(item.id))) items.set(toHex(item.id), item)
        }
        model.write(rows)
      },
      run: async (store) => store.items.append(items, rows),
    }
  })

const slot = fc.record({
  mailbox,
  name: fc.constantFrom('x', 'y', 'z'),
  version: fc.integer({ min: 0, max: 4 }),
  body: fc.constantFrom('', 'one', 'two'),
  class: fc.constantFrom(slotClass.sealed, slotClass.plain),
  variant: fc.integer({ min: 0, max: 2 }),
})

function put(model: Model, values: SlotValues & { mailbox: MailboxId }, { signed }: StoredSlot) {
  const { slots } = model.of(values.mailbox)
  const id = toHex(storePlatform.sha256(signed))
  const before = slots.get(values.name)
  const { name, version, body, class: slotClass = 1 } = values
  const wins = !before || version > before.version || (version === before.version && id < before.id)
  if (wins) slots.set(name, { version, id, body, class: slotClass })
  return wins || id === before.id ? 'stored' : 'older'
}

const putSlots = fc
  .record({ slots: fc.array(slot, { maxLength: 4 }), rows })
  .map(({ slots, rows }): Call => {
    const stored = slots.map((values) => slotOf(values.mailbox, values))
    let expected: string[] = []
    return {
      label: `putSlots ${slots.map(({ name, version }) => `${name}${version}`).join(' ')}`,
      apply(model) {
        expected = slots.map((values, n) => put(model, values, stored[n] as StoredSlot))
        model.write(rows)
      },
      async run(store) {
        const results = await store.items.putSlots(stored, rows)
        if (results.join() !== expected.join())
          throw new Error(`${results.join()} ${expected.join()}`)
      },
    }
  })

const remove = fc
  .record({ items: fc.array(item, { maxLength: 5 }), rows })
  .map(({ items: doomed, rows }): Call => {
    const mailbox = doomed[0]?.mailbox ?? mailboxNamed('a')
    const ids = doomed.map(({ id }) => id)
    return {
      label: `remove ${ids.length}`,
      apply(model) {
        for (const id of ids) model.of(mailbox).items.delete(toHex(id))
        model.write(rows)
      },
      run: async (store) => store.items.remove(mailbox, ids, rows),
    }
  })

const writeRows = rows.map((rows): Call => {
  return {
    label: `rows ${rows.length}`,
    apply: (model) => model.write(rows),
    run: async (store) => store.commit(rows),
  }
})

const expire = fc.integer({ min: hours - 1, max: hours + 2 }).map((nowHours): Call => {
  let expected = 0
  return {
    label: `expire ${nowHours}`,
    apply(model) {
      expected = 0
      for (const { items } of model.mailboxes.values()) {
        for (const [id, { expiresAtHours }] of items) {
          if (expiresAtHours === 0 || expiresAtHours > nowHours) continue
          items.delete(id)
          expected++
        }
      }
    },
    async run(store) {
      const removed = await store.items.expire(nowHours, 1000)
      if (removed !== expected) throw new Error(`expired ${removed}, not ${expected}`)
    },
  }
})

const drop = mailbox.map((mailbox): Call => {
  return {
    label: 'drop',
    apply(model) {
      model.of(mailbox).items.clear()
      model.of(mailbox).slots.clear()
    },
    run: async (store) => store.items.drop(mailbox),
  }
})

/** Calls made at once, or while the commits of those before them run; they take effect in their order. */
const burst = fc
  .record({
    calls: fc.array(fc.oneof(append, append, putSlots, remove, writeRows), {
      minLength: 1,
      maxLength: 6,
    }),
    isSpread: fc.boolean(),
  })
  .map(({ calls, isSpread }): Call => {
    return {
      label: `${isSpread ? 'spread' : 'at once'} [${calls.map(({ label }) => label).join(', ')}]`,
      apply: (model) => calls.forEach((call) => call.apply(model)),
      async run(store) {
        const running: Promise<void>[] = []
        for (const call of calls) {
          running.push(call.run(store))
          if (isSpread) await new Promise((resolve) => setImmediate(resolve))
        }
        await Promise.all(running)
      },
    }
  })

function expectedOf(model: Model) {
  return [...model.mailboxes.values()].map(({ items, slots }) => {
    const ids = [...items.keys(), ...Array.from(slots.values(), ({ id }) => id)]
    const sum = BigInt.asUintN(
      256,
      ids.reduce((sum, id) => sum + BigInt(`0x${id}`), 0n),
    )
    const inPool = (pool: number) => [...items.values()].filter((item) => item.pool === pool)
    return {
      mail: [...items].filter(([, { kind }]) => kind === 'mail').map(([id]) => id),
      chunk: [...items].filter(([, { kind }]) => kind === 'chunk').map(([id]) => id),
      bodies: Array.from(items.values(), ({ body }) => fromUtf8(body) ?? '').toSorted(),
      slots: Array.from(slots.values(), ({ id, body }) => `${id} ${body}`).toSorted(),
      plain: [...slots.values()].filter((slot) => slot.class === slotClass.plain).length,
      count: ids.length,
      sum: sum.toString(16).padStart(64, '0'),
      mails: [0, 1, 2, 3].map((pool) => inPool(pool).length),
      bytes: [0, 1, 2, 3].map((pool) =>
        inPool(pool).reduce((bytes, { body }) => bytes + body.length, 0),
      ),
      slotBytes: [...slots.values()].reduce((bytes, { body }) => bytes + 190 + body.length, 0),
    }
  })
}

async function foundIn({ items }: Store): Promise<ReturnType<typeof expectedOf>> {
  return Promise.all(
    mailboxes.map(async (mailbox) => {
      const idsOf = async (kind: 'mail' | 'chunk') => {
        const { items: heads } = await items.list(mailbox, { kind, limit: 1000 })
        return heads.map(({ id }) => toHex(id))
      }
      const [mail, chunk] = [await idsOf('mail'), await idsOf('chunk')]
      const bodies = await Promise.all(
        [...mail, ...chunk].map(async (id) => {
          const item = await items.get(
            mailbox,
            Buffer.from(id, 'hex') as Uint8Array as NewItem['id'],
          )
          return (item && fromUtf8(item.body)) ?? 'missing'
        }),
      )
      const slots = await collect(items.slots(mailbox))
      const plain = await collect(items.slots(mailbox, slotClass.plain))
      const digest = items.digest(mailbox)
      const usage = items.usage(mailbox)
      return {
        mail,
        chunk,
        bodies: bodies.toSorted(),
        slots: slots
          .map(({ signed, body }) => `${toHex(storePlatform.sha256(signed))} ${fromUtf8(body)}`)
          .toSorted(),
        plain: plain.length,
        count: digest.count,
        sum: toHex(digest.sum),
        mails: usage.map(({ mail, chunk }) => mail.items + chunk.items),
        bytes: usage.map(({ mail, chunk }) => mail.bytes + chunk.bytes),
        slotBytes: usage[0]?.slot.bytes ?? 0,
      }
    }),
  )
}

async function expectSame(store: Store, model: Model, label: string): Promise<void> {
  const expected = JSON.stringify(expectedOf(model))
  const found = JSON.stringify(await foundIn(store))
  if (expected !== found) throw new Error(`after ${label}:\n${found}\nand not\n${expected}`)
  const rows = await collect(store.table('outbox').range({ limit: 100 }))
  const foundRows = rows.map(({ key, value }) => `${toHex(key)} ${toHex(value)}`)
  const expectedRows = Array.from(model.rows, ([key, value]) => `${key} ${value}`).toSorted()
  if (foundRows.join() !== expectedRows.join()) throw new Error(`rows after ${label}`)
}

export interface ModelInit {
  readonly seed: number
  readonly runs: number
  readonly open: () => Promise<Store>
  /** Closes a store, and opens it again where it is one that lasts. */
  readonly reopen: (store: Store) => Promise<Store>
}

/** Asserts that after every call of a random history the store holds what the model holds. */
export async function itemStoreFollowsModel(
  t: Test,
  { seed, runs, open, reopen }: ModelInit,
): Promise<void> {
  const call = fc.oneof(
    { weight: 8, arbitrary: burst },
    { weight: 2, arbitrary: expire },
    { weight: 1, arbitrary: drop },
    { weight: 1, arbitrary: fc.constant('reopen' as const) },
  )
  const history = fc.asyncProperty(
    fc.array(call, { minLength: 1, maxLength: 15 }),
    async (calls) => {
      let store = await open()
      const model = new Model()
      try {
        for (const call of calls) {
          if (call === 'reopen') store = await reopen(store)
          else {
            call.apply(model)
            await call.run(store)
          }
          await expectSame(store, model, call === 'reopen' ? call : call.label)
        }
        const report = await store.verify()
        if (!report.isSound) throw new Error(JSON.stringify(report))
      } finally {
        await store.close()
      }
    },
  )
  await holdsInTime(t, history, { seed, runs })
}
