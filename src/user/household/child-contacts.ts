/**
 * Who has been approved for whom: rows of the node, in memory too. A row says nothing of a contact that somebody could read
 * who takes the disk: its key is a hash, and who is meant stands in a note for the household's Admins and Adults.
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { labels } from '../../base/crypto/labels.ts'
import { concatBytes, fromHex, toHex } from '../../base/util/bytes.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { encode } from '../../base/wire/codec.ts'
import {
  bytesBetween,
  decodeShape,
  literal,
  oneOf,
  optional,
  record,
  text,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'
import type { NodeRows } from '../account/ports.ts'
import type { Approval } from '../message/guardian.ts'

/** People of whom a Child has asked, or of whom was decided. */
const childContactsMax = 2000
/** Of them: those that wait for an answer. */
const childWishesMax = 100
const rowsMax = 100_000
const rootBytes = 32
const idBytes = 8

const rowShape = record({
  v: literal(1),
  state: oneOf('pending', 'approved', 'denied'),
  /** ms since 1970: asked or decided. */
  atMs: uint(),
  /** Account id of who decided. */
  by: optional(text(90)),
  /** Who is meant: a sealed note. */
  note: optional(bytesBetween(1, 64 * 1024)),
})
type Row = Shaped<typeof rowShape>

/** One contact of a Child, as the node knows it. */
export interface ChildContact extends Omit<Row, 'v'> {
  /** 16 hexadecimal digits. */
  readonly id: string
}

export class ChildContacts {
  readonly #platform: Pick<CryptoPlatform, 'sha256'>
  readonly #rows: NodeRows
  /** By the child's root key, then by the contact's hash; hexadecimal. */
  readonly #children = new Map<string, Map<string, Row>>()

  /** Reads all rows; one that does not decode is reported and left alone.
   *  @throws {AbzuError} those of the store */
  static async open(deps: {
    platform: Pick<CryptoPlatform, 'sha256'>
    rows: NodeRows
    log: Log
  }): Promise<ChildContacts> {
    const contacts = new ChildContacts(deps)
    for await (const { key, value } of deps.rows.range({ limit: rowsMax })) {
      try {
        const row = decodeShape(rowShape, value, 'child contact')
        contacts.#keep(key.subarray(0, rootBytes), toHex(key.subarray(rootBytes)), row)
      } catch (error) {
        deps.log.error('child-contact-unreadable', { error: toAbzuError(error) })
      }
    }
    return contacts
  }

  private constructor({
    platform,
    rows,
  }: {
    platform: Pick<CryptoPlatform, 'sha256'>
    rows: NodeRows
  }) {
    this.#platform = platform
    this.#rows = rows
  }

  /** What a note about this contact of this child is bound to. */
  context(child: Uint8Array, id: string): Uint8Array {
    return concatBytes(labels.contactWish, child, hexBytes(id))
  }

  /** 16 hexadecimal digits. */
  idOf(child: Uint8Array, contact: Uint8Array): string {
    return this.#hash(child, contact).slice(0, 2 * idBytes)
  }

  approvalOf(child: Uint8Array, contact: Uint8Array): Approval {
    return this.#of(child).get(this.#hash(child, contact))?.state ?? 'unasked'
  }

  /** In no promised order. */
  list(child: Uint8Array): ChildContact[] {
    return [...this.#of(child)].map(([hash, row]) => told(hash, row))
  }

  /** Writes a wish down. Resolves after fsync.
   *  @throws {AbzuError} ABZU_QUOTA_EXCEEDED, those of the store */
  async ask(
    child: Uint8Array,
    { contact, note, atMs }: { contact: Uint8Array; note: Uint8Array | undefined; atMs: number },
  ): Promise<void> {
    const waiting = this.list(child).filter(({ state }) => state === 'pending').length
    if (waiting >= childWishesMax) {
      const message = `${childWishesMax} contacts wait for an answer of your household already`
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', message)
    }
    const row: Row = { v: 1, state: 'pending', atMs, ...(note && { note }) }
    await this.#write(child, this.#hash(child, contact), row)
  }

  /** Decides of a contact, asked for or not. Resolves after fsync.
   *  @throws {AbzuError} ABZU_QUOTA_EXCEEDED, those of the store */
  async decide(
    child: Uint8Array,
    contact: Uint8Array,
    init: { state: 'approved' | 'denied'; by: string; atMs: number; note: Uint8Array | undefined },
  ): Promise<ChildContact> {
    const { note, ...decision } = init
    const hash = this.#hash(child, contact)
    const row: Row = { v: 1, ...decision, ...(note && { note }) }
    await this.#write(child, hash, row)
    return told(hash, row)
  }

  /** Decides of a contact that was asked for, by its id. Resolves after fsync.
   *  @throws {AbzuError} ABZU_NOT_FOUND, those of the store */
  async decideById(
    child: Uint8Array,
    id: string,
    decision: { state: 'approved' | 'denied'; by: string; atMs: number },
  ): Promise<ChildContact> {
    const found = [...this.#of(child)].find(([hash]) => hash.startsWith(id.toLowerCase()))
    if (!found) throw new AbzuError('ABZU_NOT_FOUND', 'there is no such contact')
    const [hash, before] = found
    const row: Row = { ...before, ...decision }
    await this.#write(child, hash, row)
    return told(hash, row)
  }

  /** Nothing is decided for this child any more. Resolves after fsync.
   *  @throws {AbzuError} those of the store */
  async forget(child: Uint8Array): Promise<void> {
    for (const hash of this.#of(child).keys()) {
      await this.#rows.delete(concatBytes(child, hexBytes(hash)))
    }
    this.#children.delete(toHex(child))
  }

  async #write(child: Uint8Array, hash: string, row: Row): Promise<void> {
    const all = this.#of(child)
    if (!all.has(hash) && all.size >= childContactsMax) {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', `at most ${childContactsMax} contacts of a child`)
    }
    const value = encode({ ...rowShape(row, 'child contact') })
    await this.#rows.put(concatBytes(child, hexBytes(hash)), value)
    this.#keep(child, hash, row)
  }

  #keep(child: Uint8Array, hash: string, row: Row): void {
    const all = this.#children.get(toHex(child)) ?? new Map<string, Row>()
    this.#children.set(toHex(child), all.set(hash, row))
  }

  #of(child: Uint8Array): ReadonlyMap<string, Row> {
    return this.#children.get(toHex(child)) ?? new Map()
  }

  #hash(child: Uint8Array, contact: Uint8Array): string {
    return toHex(this.#platform.sha256(labels.childContact, child, contact))
  }
}

function told(hash: string, row: Row): ChildContact {
  const { v: _, ...rest } = row
  return { ...rest, id: hash.slice(0, 2 * idBytes) }
}

function hexBytes(hex: string): Uint8Array {
  return fromHex(hex) ?? new Uint8Array()
}
