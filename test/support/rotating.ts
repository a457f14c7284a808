/** Accounts whose keys change, in memory. @module */

import { rootKeyOf } from '../../src/base/crypto/address.ts'
import { plainSlotKey } from '../../src/base/crypto/slot-header.ts'
import { generationOfBody } from '../../src/base/crypto/vault-cipher.ts'
import { equalBytes, mapKey, toHex, utf8 } from '../../src/base/util/bytes.ts'
import { parsePlainSlot, plainSlotKind, plainSlotName } from '../../src/base/wire/plain-slot.ts'
import { parseSlotHeader, slotClass } from '../../src/base/wire/slot.ts'
import {
  decodeAccountRow,
  encodeAccountRow,
  type AccountRow,
} from '../../src/user/account/account-row.ts'
import { openIdentity, type Identity } from '../../src/user/account/identity.ts'
import type { SignedSlot } from '../../src/user/account/ports.ts'
import type { Household, World } from './household.ts'
import type { MemoryMailbox, MemoryNode } from './memory-ports.ts'

export const otherPassword = utf8('a new broom')

/** The mailbox of an account on a node. */
export function mailboxOf(
  node: MemoryNode,
  { id }: Pick<Household['member'], 'id'>,
): MemoryMailbox {
  const root = rootKeyOf(id)
  const found = [...node.mailboxes.values()].find(({ rootPk }) => equalBytes(rootPk, root))
  if (!found) throw new Error('no mailbox')
  return found
}

/** The row of an account on a node's disk. */
export function rowOf(node: MemoryNode, { id }: Pick<Household['member'], 'id'>): AccountRow {
  const row = node.tables.table('accounts').get(rootKeyOf(id))
  if (!row) throw new Error('no row')
  return decodeAccountRow(row)
}

/** Gives a node what another one has of an account beside its mailbox. */
export async function copyRow({ node, member }: Household, to: MemoryNode): Promise<void> {
  const row = rowOf(node, member)
  await to.tables.table('accounts').put(row.rootPk, encodeAccountRow(row))
}

/** What the mailbox says of the account's devices. */
export function identityIn(world: World, mailbox: MemoryMailbox): Identity {
  const key = plainSlotKey(world.platform, mailbox.mailbox, plainSlotName.identity)
  const slot = mailbox.slotsOnDisk.get(mapKey(key))
  if (!slot) throw new Error('no identity')
  return openIdentity(world.platform, parsePlainSlot(slot.body).content, mailbox.rootPk)
}

/** Signing keys, in hexadecimal, of who signed anything that is there. */
export function signersIn(mailbox: MemoryMailbox): Set<string> {
  return new Set(
    [...slotsIn(mailbox)].map(({ signed }) => toHex(parseSlotHeader(signed).header.device)),
  )
}

/** Names of the vault keys that sealed anything that is there. */
export function generationsIn(mailbox: MemoryMailbox): Set<string> {
  const sealed = [...slotsIn(mailbox)].filter(
    ({ signed, body }) =>
      parseSlotHeader(signed).header.class === slotClass.sealed && body.length > 0,
  )
  return new Set(sealed.map(({ body }) => toHex(generationOfBody(body))))
}

/** Whatever lies in the mailbox, the identity apart. */
function slotsIn(mailbox: MemoryMailbox): SignedSlot[] {
  return [...mailbox.slotsOnDisk.values()].filter(
    ({ signed, body }) =>
      parseSlotHeader(signed).header.class !== slotClass.plain ||
      body[0] !== plainSlotKind.identity,
  )
}
