/**
 * Mistakes that nodes are made with on purpose, to see that a run finds each of them.
 * @module
 */

import { withAppend } from '../../bench/deliver/item-stores.ts'
import type { Aead, CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { Database, WriteBatch } from '../../src/base/store/database.ts'
import { wrapSegments, type BodyPlace, type Segments } from '../../src/base/store/segments.ts'
import type { Table, TableName } from '../../src/base/store/table.ts'
import type { ItemId } from '../../src/base/util/brand.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { parsePlainSlot, plainSlotKind } from '../../src/base/wire/plain-slot.ts'
import { parseSlotHeader, slotClass } from '../../src/base/wire/slot.ts'
import type { HostingPort, MailboxPort, SignedSlot } from '../../src/user/account/ports.ts'
import type { FaultKind } from './fault-counts.ts'
import type { NodeTime } from './timeline.ts'
import { replacing, type NodeStore, type Wiring } from './wiring.ts'

export interface PlantedBug {
  readonly name: string
  /** The first seed that is tried: those before it are known not to show the bug. @default 1 */
  readonly from?: number
  readonly wiring: Wiring
  /** Without these it may do no harm. */
  readonly faults: readonly FaultKind[]
  /** Which invariants it is seen to break, one at least. */
  readonly breaks: RegExp
}

const lateMs = 5000
const veryLateMs = 60_000

/** Does `work` some time later, and does not wait for it. */
function late(time: NodeTime, work: () => Promise<unknown>, delayMs = lateMs): void {
  time.after(delayMs, () => void work().catch(() => undefined))
}

/** An AEAD that authenticates nothing but its ciphertext. */
function withoutAad({ seal, open }: Aead): Aead {
  const nothing = new Uint8Array()
  return {
    seal: (key, nonce, _aad, plain) => seal(key, nonce, nothing, plain),
    open: (key, nonce, _aad, sealed) => open(key, nonce, nothing, sealed),
  }
}

/** A generator of ids that has three of them. */
function repeating(platform: CryptoPlatform): CryptoPlatform {
  let draws = 0
  const id = (): Uint8Array => new Uint8Array(16).fill(++draws % 3)
  return { ...platform, random: (length) => (length === 16 ? id() : platform.random(length)) }
}

/** `store` with one table that has some of its members replaced. */
function withTable(store: NodeStore, name: TableName, changes: Partial<Table>): NodeStore {
  return replacing(store, {
    table: (asked) =>
      asked === name ? replacing(store.table(asked), changes) : store.table(asked),
  })
}

/** Writes of accounts as `put` makes them, given the right way and the slots. */
function wrapWrites(
  hosting: HostingPort,
  put: (port: MailboxPort, slots: readonly SignedSlot[]) => Promise<void>,
): HostingPort {
  const wrap = (port: MailboxPort): MailboxPort =>
    replacing(port, { putSlots: async (slots) => put(port, slots) })
  return replacing(hosting, {
    host: async (rootPk, slots) => wrap(await hosting.host(rootPk, slots)),
    mailbox: (mailbox) => wrap(hosting.mailbox(mailbox)),
  })
}

function isSealed({ signed }: SignedSlot): boolean {
  return parseSlotHeader(signed).header.class === slotClass.sealed
}

function isAcknowledgement(slot: SignedSlot): boolean {
  if (isSealed(slot) || slot.body.length === 0) return false
  return parsePlainSlot(slot.body).kind === plainSlotKind.acknowledgement
}

async function writeUntilDone(database: Database, batch: WriteBatch): Promise<void> {
  await database.write(batch).catch(async () => writeUntilDone(database, batch))
}

/** Only the sync is tried again: what the kernel could not write it has let go of by then. */
async function syncUntilDone(
  segments: Segments,
  { segment, offset }: BodyPlace,
  parts: readonly Uint8Array[],
): Promise<void> {
  const end = offset + parts.reduce((bytes, { length }) => bytes + length, 0)
  try {
    await segments.append({ segment, offset: end }, [])
  } catch {
    await syncUntilDone(segments, { segment, offset: end }, [])
  }
}

async function* nothing(): AsyncIterable<never> {}

/** Each is found within few seeds: planted-bugs.test.ts. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'the fsync of the journal is skipped',
    from: 6,
    wiring: { vices: { lazySegments: true } },
    faults: ['power-cut'],
    breaks: /^(I1|I3|I15)\b/,
  },
  {
    name: 'the fsync of the database is skipped',
    wiring: { vices: { lazyDatabase: true } },
    faults: ['power-cut'],
    breaks: /^(I1|I3|I15)\b/,
  },
  {
    name: 'a batch is not atomic',
    from: 77,
    wiring: { vices: { tornBatches: true } },
    faults: ['kill', 'power-cut'],
    breaks: /^(I1|I3|I15)\b/,
  },
  {
    name: 'a failed fsync is tried again',
    from: 15,
    wiring: {
      media: ({ database, segments }) => ({
        database: {
          ...database,
          write: async (batch) =>
            database.write(batch).catch(async () => writeUntilDone(database, batch)),
        },
        segments: wrapSegments(segments, {
          append: async (at, parts) =>
            segments.append(at, parts).catch(async () => syncUntilDone(segments, at, parts)),
        }),
      }),
    },
    faults: ['failed-sync', 'power-cut'],
    breaks: /^(I1|I3|I15)\b/,
  },
  {
    name: 'the journal is not replayed',
    from: 6,
    wiring: {
      media: ({ database, segments }) => ({
        database,
        segments: wrapSegments(segments, { sizes: async () => new Map() }),
      }),
    },
    faults: ['kill', 'power-cut'],
    breaks: /^(I1|I3|I15)\b/,
  },
  {
    name: 'mail is acknowledged before it is durable',
    from: 12,
    wiring: {
      store: (store, time) =>
        replacing<NodeStore>(store, {
          items: withAppend(store.items, async (items, rows) =>
            late(time, async () => store.items.append(items, rows)),
          ),
        }),
    },
    faults: ['kill', 'power-cut'],
    breaks: /^I3\b/,
  },
  {
    name: 'the outbox takes letters before they are durable',
    wiring: {
      store: (store, time) =>
        replacing<NodeStore>(store, {
          commit: async (rows) => late(time, async () => store.commit(rows)),
        }),
    },
    faults: ['kill', 'power-cut'],
    breaks: /^I15\b/,
  },
  {
    name: 'the outbox forgets at a restart',
    from: 15,
    wiring: { store: (store) => withTable(store, 'outbox', { range: nothing }) },
    faults: ['kill', 'partition', 'restart'],
    breaks: /^I15\b/,
  },
  {
    name: 'an outcome is forgotten before the account has it',
    from: 39,
    wiring: {
      post: (post, time) =>
        replacing(post, {
          async outcomes(from) {
            const outcomes = await post.outcomes(from)
            await post.settle(from, outcomes)
            await time.wait(lateMs)
            return outcomes
          },
        }),
    },
    faults: ['kill', 'power-cut'],
    breaks: /^I15\b/,
  },
  {
    name: 'an acknowledgement is dropped',
    wiring: {
      hosting: (hosting) =>
        wrapWrites(hosting, async (port, slots) =>
          port.putSlots(slots.filter((slot) => !isAcknowledgement(slot))),
        ),
    },
    faults: [],
    breaks: /^I15\b/,
  },
  {
    name: 'mail is taken out before its message is durable',
    from: 4,
    wiring: {
      hosting: (hosting, time) =>
        wrapWrites(hosting, async (port, slots) => {
          if (slots.every(isSealed)) late(time, async () => port.putSlots(slots))
          else await port.putSlots(slots)
        }),
    },
    faults: ['kill', 'power-cut'],
    breaks: /^I3\b/,
  },
  {
    name: 'receipts are for other letters',
    wiring: {
      inbound: (mailboxes) => ({
        take: async (...call) => {
          const id = new Uint8Array(32) as ItemId
          const taken = await mailboxes.take(...call)
          return taken.map((one) => (one.kind === 'durable' ? { ...one, id } : one))
        },
      }),
    },
    faults: [],
    breaks: /^I15\b/,
  },
  {
    name: 'an attempt that fails is never over',
    wiring: {
      outbound: (transport) =>
        replacing(transport, {
          open: async (...call) => transport.open(...call).catch(async () => new Promise(() => {})),
        }),
    },
    faults: ['partition', 'kill'],
    breaks: /^I15\b/,
  },
  {
    name: 'seals bind no context',
    from: 3,
    wiring: {
      isFromBeginning: true,
      platform: (platform) => ({
        ...platform,
        xchacha20poly1305: withoutAad(platform.xchacha20poly1305),
      }),
    },
    faults: [],
    breaks: /^I22\b/,
  },
  {
    name: 'signatures are not verified',
    wiring: {
      platform: (platform) => ({
        ...platform,
        ed25519: { ...platform.ed25519, verify: () => true },
      }),
    },
    faults: ['lying-holder'],
    breaks: /^I\d+\b/,
  },
  {
    name: 'message ids come again',
    wiring: { platform: repeating },
    faults: [],
    breaks: /^(I3|I15)\b/,
  },
  {
    name: 'a wrong clock ends what is kept for a time',
    from: 2,
    wiring: { clock: (_watch, machine) => machine },
    faults: ['clock-jump', 'partition'],
    breaks: /^(I3|I14|I15)\b/,
  },
  {
    name: 'a holder keeps the first record for ever',
    wiring: {
      records: (table) =>
        replacing(table, {
          put: async (key, value) => (table.get(key) ? undefined : table.put(key, value)),
        }),
    },
    faults: [],
    breaks: /^(I8|I26)\b/,
  },
  {
    name: 'a home never looks whether its record is outrun',
    from: 19,
    wiring: {
      directory: (directory) => replacing(directory, { ahead: async () => undefined }),
    },
    faults: ['snapshot-restored'],
    breaks: /^I8\b/,
  },
  {
    name: 'damage is not reported',
    from: 65,
    wiring: { log: () => silentLog },
    faults: ['bit-flip', 'restart'],
    breaks: /^I12\b/,
  },
  {
    name: 'a copy is said to be durable before it is',
    from: 12,
    wiring: {
      pulling: (mailboxes, time) =>
        replacing(mailboxes, {
          takeCopies: async (...call) =>
            late(time, async () => mailboxes.takeCopies(...call), veryLateMs),
        }),
    },
    faults: ['lost-home'],
    breaks: /^(I1|I3)\b/,
  },
  {
    name: 'mail that was taken out is taken in again',
    from: 20,
    wiring: {
      store: (store) => withTable(store, 'acknowledged', { range: nothing, get: () => undefined }),
    },
    faults: ['lying-copy', 'partition', 'kill'],
    breaks: /^I4\b/,
  },
  {
    name: 'acknowledgements are not copied',
    from: 4,
    wiring: {
      pulling: (mailboxes) =>
        replacing(mailboxes, {
          takeCopies: async (mailbox, copies) =>
            mailboxes.takeCopies(
              mailbox,
              copies.filter(
                ({ kind, body }) => kind !== 'slot' || body[0] !== plainSlotKind.acknowledgement,
              ),
            ),
        }),
    },
    faults: ['kill', 'partition'],
    breaks: /^I5\b/,
  },
]
