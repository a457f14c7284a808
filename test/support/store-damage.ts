/**
 * Opens damaged copies of a store, in a process of its own, since LevelDB may well abort over a damaged
 * file. Says on stdout, a line each, `<case> <what it came to>`.
 *
 * Run with `{"from", "closed", "crashed", "home", "first", "cases"}` as its argument.
 * @module
 */

import {
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Store } from '../../src/base/store/store.ts'
import { isAbzuError } from '../../src/base/util/errors.ts'
import { equalBytes, toHex, utf8 } from '../../src/base/util/bytes.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { seededIntegers } from './hostile.ts'
import {
  collect,
  itemOf,
  mailboxNamed,
  openTestStore,
  slotKeyNamed,
  slotOf,
} from './store-content.ts'

const mailboxes = ['a', 'b', 'c'].map(mailboxNamed)
const limits = { writeBufferBytes: 64 * 1024, segmentBytesMax: 64 * 1024 }

const items = Array.from({ length: 150 }, (_, n) =>
  itemOf(
    mailboxes[n % 3] as (typeof mailboxes)[0],
    Buffer.alloc(50 + ((n * 677) % 4000), `item ${n} `),
    { kind: n % 10 === 0 ? 'chunk' : 'mail', expiresAtHours: 500_000 + (n % 3) },
  ),
)
const slots = Array.from({ length: 40 }, (_, n) => ({
  mailbox: mailboxes[n % 3] as (typeof mailboxes)[0],
  name: `${n}`,
  version: 2,
  body: `slot ${n}`.repeat(n),
}))
const rows = Array.from({ length: 60 }, (_, n) => ({
  table: 'peers' as const,
  key: utf8(`key ${n}`),
  value: utf8(`value ${n}`.repeat(n)),
}))

/** Items that come last, and so are in the journal alone where the store is not closed. */
const lastItems = 30

/** Writes what every copy should hold; some of it replaced or removed on the way. */
export async function writeDamageSample(store: Store): Promise<void> {
  for (let n = 0; n < items.length - lastItems; n += 3) {
    const passing = itemOf(mailboxNamed('a'), `removed ${n}`.repeat(20))
    await store.items.append([...items.slice(n, n + 3), passing], rows.slice(n / 3, n / 3 + 1))
    await store.items.remove(passing.mailbox, [passing.id])
  }
  for (const slot of slots) {
    await store.items.putSlots([slotOf(slot.mailbox, { ...slot, version: 1, body: 'old' })])
    await store.items.putSlots([slotOf(slot.mailbox, slot)])
  }
  await store.commit(rows)
  for (const item of items.slice(-lastItems)) await store.items.append([item])
}

/** The first read that returned something else than what was written; undefined where none did.
 *  @throws {AbzuError} where a read reports damage */
async function firstUntruth(store: Store): Promise<string | undefined> {
  for (const { mailbox, id, body } of items) {
    if (!store.items.has(mailbox, id)) return 'has'
    const item = await store.items.get(mailbox, id)
    if (!item || !equalBytes(item.body, body)) return 'get'
  }
  for (const slot of slots) {
    const { signed, body } = slotOf(slot.mailbox, slot)
    const found = await store.items.slot(slot.mailbox, slotKeyNamed(slot.name))
    if (!found || !equalBytes(found.signed, signed) || !equalBytes(found.body, body)) return 'slot'
  }
  for (const mailbox of mailboxes) {
    for (const kind of ['mail', 'chunk'] as const) {
      const { items: heads } = await store.items.list(mailbox, { kind, limit: 1000 })
      const expected = items.filter((item) => item.mailbox === mailbox && item.kind === kind)
      const ids = (list: readonly { id: Uint8Array }[]) => list.map(({ id }) => toHex(id)).join()
      if (ids(heads) !== ids(expected)) return 'list'
    }
    const expected = slots.filter((slot) => slot.mailbox === mailbox).length
    if ((await collect(store.items.slots(mailbox))).length !== expected) return 'slots'
    const held = items.filter((item) => item.mailbox === mailbox).length + expected
    if (store.items.digest(mailbox).count !== held) return 'digest'
  }
  const found = await collect(store.table('peers').range({ limit: 1000 }))
  if (found.length !== rows.length) return 'range'
  for (const { key, value } of rows) {
    const row = store.table('peers').get(key)
    if (!row || !equalBytes(row, value)) return 'row'
  }
  return undefined
}

type Damage = 'flip' | 'truncate' | 'zero' | 'delete'
const damages: readonly Damage[] = ['flip', 'flip', 'flip', 'truncate', 'zero', 'delete']

function damage(path: string, how: Damage, draw: (below: number) => number): void {
  if (how === 'delete') return rmSync(path)
  const bytes = readFileSync(path)
  if (bytes.length === 0) return
  const at = draw(bytes.length)
  if (how === 'truncate') return writeFileSync(path, bytes.subarray(0, at))
  if (how === 'zero') bytes.fill(0, at, Math.min(bytes.length, at + 1 + draw(512)))
  else bytes[at] = (bytes[at] as number) ^ (1 << draw(8))
  writeFileSync(path, bytes)
}

/** What a damaged store came to: `refused`, `reported`, `unharmed`, or `SILENT`. */
async function judge(dir: string): Promise<string> {
  let store: Store
  let reports = 0
  const tell = () => void reports++
  const log = { ...silentLog, error: tell }
  try {
    store = await openTestStore({ dir, limits, log })
  } catch (error) {
    return isAbzuError(error) ? `refused ${error.code}` : `UNTYPED ${String(error)}`
  }
  try {
    const untruth = await firstUntruth(store)
    const { isSound } = await store.verify()
    const again = isSound ? await firstUntruth(store) : undefined
    const { lostCommits } = store.report
    if (lostCommits > 0) return `reported ${lostCommits} lost commits`
    if (!isSound) return 'reported by the check'
    if (reports > 0) return 'reported in the log'
    return untruth || again ? `SILENT ${untruth} ${again}` : 'unharmed'
  } catch (error) {
    return isAbzuError(error) ? `reported ${error.code}` : `UNTYPED ${String(error)}`
  } finally {
    await store.close()
  }
}

export interface DamageInit {
  /** Copies of the store: closed in good order, and as a crash leaves it. */
  readonly closed: string
  readonly crashed: string
  /** Where the damaged copies go. */
  readonly home: string
  readonly first: number
  readonly cases: number
}

async function run({ closed, crashed, home, first, cases }: DamageInit): Promise<void> {
  for (let n = first; n < cases; n++) {
    const draw = seededIntegers(n)
    const source = n % 4 === 3 ? crashed : closed
    const dir = join(home, `case ${n}`)
    cpSync(source, dir, { recursive: true })
    const names = readdirSync(dir)
      .filter((name) => statSync(join(dir, name)).size > 0 && !name.startsWith('LOG'))
      .toSorted()
    const name = names[Math.floor(n / 4) % names.length] as string
    const how = damages[draw(damages.length)] as Damage
    writeSync(1, `${n} ${how} ${name} `)
    damage(join(dir, name), how, draw)
    writeSync(1, `${await judge(dir)}\n`)
    rmSync(dir, { recursive: true })
  }
}

if (import.meta.main) await run(JSON.parse(process.argv[2] as string) as DamageInit)
