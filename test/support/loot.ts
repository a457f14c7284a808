/** What somebody has who took a node's disk and knows the Admin's password, and what of the mailboxes that opens. @module */

import { openEnvelope } from '../../src/base/crypto/envelope.ts'
import { openKeyringItem, type KeyringSecret } from '../../src/base/crypto/keyring.ts'
import { labels } from '../../src/base/crypto/labels.ts'
import { openNote } from '../../src/base/crypto/sealed-note.ts'
import { openSlotBody } from '../../src/base/crypto/vault-cipher.ts'
import { concatBytes, mapKey } from '../../src/base/util/bytes.ts'
import { isAbzuError } from '../../src/base/util/errors.ts'
import { decode } from '../../src/base/wire/codec.ts'
import { parsePlainSlot, plainSlotKind } from '../../src/base/wire/plain-slot.ts'
import { parseSlotHeader, slotClass } from '../../src/base/wire/slot.ts'
import {
  decodeAccountRow,
  unwrapDevice,
  type AccountRow,
} from '../../src/user/account/account-row.ts'
import { password, type World } from './household.ts'
import type { MemoryMailbox, MemoryNode } from './memory-ports.ts'

interface Pair {
  readonly publicKey: Uint8Array
  readonly shareB: Uint8Array
  readonly shares: readonly { readonly admin: Uint8Array; readonly note: Uint8Array }[]
}

export interface Loot {
  readonly rows: readonly AccountRow[]
  /** Every key, and every half of one, as it lies on the disk or in the Admin's hands. */
  readonly seeds: readonly Uint8Array[]
  /** Of the Admin's device. */
  readonly sealSeed: Uint8Array
}

export async function loot(world: World, node: MemoryNode, adminName: string): Promise<Loot> {
  const rows = [...node.tables.onDisk('accounts').values()].map(({ value }) =>
    decodeAccountRow(value),
  )
  const admin = rows.find(({ name }) => name === adminName)
  if (!admin) throw new Error('no admin')
  const device = await unwrapDevice(world.platform, admin, password)
  const sealSeed = device.sealSeed.slice()
  const halves = pairsOf(node).map(({ shareB }) => Uint8Array.from(shareB))
  return { rows, seeds: [sealSeed, device.signSeed.slice(), ...halves], sealSeed }
}

function pairsOf(node: MemoryNode): Pair[] {
  return [...node.tables.onDisk('oversight-pairs').values()].map(
    ({ value }) => decode(value) as Pair,
  )
}

/** The private half of a Child's pair, of both shares; undefined where the device has none. */
export async function bothShares(
  world: World,
  node: MemoryNode,
  { rootPk, sealSeed: seed }: { rootPk: Uint8Array; sealSeed: Uint8Array },
): Promise<Uint8Array | undefined> {
  const [pair] = pairsOf(node)
  if (!pair) return undefined
  const context = concatBytes(labels.oversightShare, rootPk, pair.publicKey)
  for (const { note } of pair.shares) {
    const opening = openNote(world.platform, { note, context, seed })
    const shareA = await orNothing(opening)
    if (shareA) return shareA.map((byte, n) => byte ^ (pair.shareB[n] as number))
  }
  return undefined
}

/** How many there are of each kind, and how many of them open. */
export interface Opened {
  readonly keys: readonly [number, number]
  readonly entries: readonly [number, number]
  readonly letters: readonly [number, number]
}

/** What of an account's mailbox on `node` opens for whoever has `seeds`, and what they open in any mailbox there. */
export async function openedOf(
  world: World,
  node: MemoryNode,
  { rootPk, seeds }: { rootPk: Uint8Array; seeds: readonly Uint8Array[] },
): Promise<Opened> {
  const found: KeyringSecret[] = []
  for (const mailbox of node.mailboxes.values()) {
    for (const item of keyringOf(mailbox)) {
      const secret = await anyOf(seeds, async (seed) => openKeyringItem(world.platform, item, seed))
      if (secret) found.push(secret)
    }
  }
  const all = [...seeds, ...found.map(({ secret }) => secret)]
  const own = [...node.mailboxes.values()].find(
    (one) => mapKey(one.rootPk) === mapKey(rootPk),
  ) as MemoryMailbox
  const { platform } = world
  const sealed = [...own.slotsOnDisk.values()].filter(
    ({ signed, body }) =>
      parseSlotHeader(signed).header.class === slotClass.sealed && body.length > 0,
  )
  return {
    keys: await count(keyringOf(own), async (item) =>
      anyOf(all, async (seed) => openKeyringItem(platform, item, seed)),
    ),
    entries: await count(sealed, async ({ signed, body }) => {
      const { mailbox, key, version } = parseSlotHeader(signed).header
      return anyOf(all, async (vaultKey) =>
        openSlotBody(platform, { vaultKey, mailbox, key, version }, body),
      )
    }),
    letters: await count(own.mailOnDisk, async ({ envelope }) =>
      anyOf(all, async (prekeySeed) =>
        openEnvelope(platform, { envelope, recipientRoot: rootPk, prekeySeed }),
      ),
    ),
  }
}

function keyringOf(mailbox: MemoryMailbox): Uint8Array[] {
  const plain = [...mailbox.slotsOnDisk.values()].filter(
    ({ signed, body }) =>
      parseSlotHeader(signed).header.class === slotClass.plain && body.length > 0,
  )
  const slots = plain.map(({ body }) => parsePlainSlot(body))
  return slots.filter(({ kind }) => kind === plainSlotKind.keyring).map(({ content }) => content)
}

async function count<T>(
  items: readonly T[],
  open: (item: T) => Promise<unknown>,
): Promise<[number, number]> {
  const opened = await Promise.all(items.map(open))
  return [opened.filter((one) => one !== undefined).length, items.length]
}

async function anyOf<T>(
  seeds: readonly Uint8Array[],
  open: (seed: Uint8Array) => Promise<T>,
): Promise<T | undefined> {
  for (const seed of seeds) {
    const opened = seed.length === 32 ? await orNothing(open(seed)) : undefined
    if (opened !== undefined) return opened
  }
  return undefined
}

async function orNothing<T>(opening: Promise<T>): Promise<T | undefined> {
  return opening.catch((error: unknown) => {
    if (isAbzuError(error)) return undefined
    throw error
  })
}
