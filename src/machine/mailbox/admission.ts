/**
 * The host's checks of a delivery, cheapest first: shape, key id, expiry, door, repetition, quota,
 * rate. The host never sees who sent: a door's key is the only credential, and a stamp instead of one opens
 * no more than the pool for strangers, which has a quota and rates of its own.
 * @see docs/protocol.md#delivery
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { itemIdOf } from '../../base/crypto/address.ts'
import { doorProof } from '../../base/crypto/door.ts'
import { isStamp } from '../../base/crypto/stamp.ts'
import type { ItemStore, NewItem } from '../../base/store/item-store.ts'
import type { RowChange, Table } from '../../base/store/table.ts'
import type { ItemId } from '../../base/util/brand.ts'
import { concatBytes, equalBytes, mapKey, readU32be, u32be } from '../../base/util/bytes.ts'
import { type Clock, earliestMs, hoursOf, latestMs } from '../../base/util/clock.ts'
import type { ErrorCode } from '../../base/util/errors.ts'
import { setNewest } from '../../base/util/newest.ts'
import type { DeliverRequest, DoorPass, StampPass } from '../../base/wire/deliver.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { Door } from '../../base/wire/records.ts'
import type { AcknowledgedIds } from './acknowledged-ids.ts'
import type { HostedMailbox } from './hosted-mailbox.ts'
import type { HouseholdRoom } from './household-room.ts'
import { MailboxRates } from './mailbox-rates.ts'
import type { MailboxLimits } from './mailbox-limits.ts'
import type { MailboxTiers } from './mailbox-tiers.ts'
import { StrangerRates, type Origin } from './stranger-rates.ts'

/** Which part of a mailbox's quota an item counts against. */
export const pool = { owner: 0, contact: 1, request: 2, stranger: 3 } as const

/** To be stored; room for it is reserved. */
export interface Admitted {
  readonly kind: 'store'
  readonly hosted: HostedMailbox
  readonly item: NewItem
  readonly rows: readonly RowChange[]
}

export type Admission =
  | Admitted
  /** Taken before, and acknowledged by the owner since: a receipt is due, nothing is stored. */
  | { readonly kind: 'known'; readonly id: ItemId; readonly expiresAtHours: number }
  | { readonly kind: 'refused'; readonly error: ErrorCode; readonly retryAfterMs: number }

export interface AdmissionDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256' | 'hmacSha256'>
  readonly items: Pick<ItemStore, 'has' | 'usage'>
  readonly acknowledged: Pick<AcknowledgedIds, 'has'>
  readonly doorUses: Pick<Table, 'get' | 'name'>
  readonly limits: MailboxLimits
  readonly tiers: MailboxTiers
  readonly room: Pick<HouseholdRoom, 'hasRoom' | 'added'>
  readonly clock: Clock
}

interface JudgedLetter {
  readonly envelope: Uint8Array
  readonly expiresAtHours: number
}

interface Between {
  readonly hosted: HostedMailbox
  readonly origin: Origin
}

function refused(error: ErrorCode, retryAfterMs = 0): Admission {
  return { kind: 'refused', error, retryAfterMs: Math.ceil(retryAfterMs) }
}

export class Admissions {
  readonly #deps: AdmissionDeps
  /** Of mail through doors. */
  readonly rates: MailboxRates
  readonly #strangers: StrangerRates
  /** Uses of counted doors, which reach the table a commit later. */
  readonly #uses = new Map<string, number>()
  /** Ids of items for which room is reserved. */
  readonly #admitted = new Set<string>()

  constructor(deps: AdmissionDeps) {
    this.#deps = deps
    const { limits, clock } = deps
    this.rates = new MailboxRates('inbound', deps)
    this.#strangers = new StrangerRates(limits, clock)
  }

  /** Judges one request for a mailbox that is hosted here. Room for an item to store is reserved until
   *  `release`.
   *  @throws {AbzuError} ABZU_MALFORMED, ABZU_TOO_LARGE */
  judge(request: DeliverRequest, hosted: HostedMailbox, origin: Origin): Admission {
    const { envelope } = request
    const { keyId, expiresAtHours } = parseEnvelopeHeader(envelope)
    const { clock } = this.#deps
    const nowHours = hoursOf(earliestMs(clock))
    const lastHours = hoursOf(latestMs(clock)) + wireLimits.mailHoursMax + 1
    if (!hosted.acceptsKey(keyId, nowHours)) return refused('ABZU_STALE_KEY')
    if (expiresAtHours <= nowHours) return refused('ABZU_EXPIRED')
    if (expiresAtHours > lastHours) return refused('ABZU_MALFORMED')
    const letter = { envelope, expiresAtHours }
    return 'stamp' in request
      ? this.#judgeStamp(letter, request, { hosted, origin })
      : this.#judgeDoor(letter, request, { hosted, origin })
  }

  #judgeDoor(
    { envelope, expiresAtHours }: JudgedLetter,
    { doorId, proof }: DoorPass,
    { hosted, origin }: Between,
  ): Admission {
    const { platform, clock } = this.#deps
    const nowHours = hoursOf(earliestMs(clock))
    const door = hosted.door(doorId)
    if (!door || door.untilHours <= nowHours) return refused('ABZU_DOOR_CLOSED')
    const id = itemIdOf(platform, envelope)
    if (!equalBytes(doorProof(platform, door.key, hosted.mailbox, id), proof)) {
      return refused('ABZU_DOOR_CLOSED')
    }
    const item = this.#item(hosted, { id, expiresAtHours, pool: pool[door.pool], body: envelope })
    return (
      this.#repeated(hosted, item) ??
      this.#overQuota(hosted, item) ??
      this.#overRate(hosted, origin) ??
      this.#throughDoor(hosted, item, door)
    )
  }

  /** The rates come first, since an attempt costs two hashes, one of them over the envelope. */
  #judgeStamp(
    { envelope, expiresAtHours }: JudgedLetter,
    { stamp }: StampPass,
    { hosted, origin }: Between,
  ): Admission {
    const { platform, clock, limits } = this.#deps
    const { mailbox, stampBits: bits, key } = hosted
    if (bits === 0) return refused('ABZU_STRANGERS_REFUSED')
    const waitMs = this.#strangers.attempt(key, origin)
    if (waitMs > 0) return refused('ABZU_RATE_LIMITED', waitMs)
    const id = itemIdOf(platform, envelope)
    if (!isStamp(platform, { mailbox, item: id, bits }, stamp)) return refused('ABZU_STAMP_INVALID')
    const lastHours = hoursOf(clock.nowMs()) + limits.strangerHoursMax
    const item = this.#item(hosted, {
      id,
      expiresAtHours: Math.min(expiresAtHours, lastHours),
      pool: pool.stranger,
      body: envelope,
    })
    const known = this.#repeated(hosted, item) ?? this.#overQuota(hosted, item)
    if (known) return known
    this.#strangers.accepted(key)
    return this.#admitNew(hosted, item, [])
  }

  #item(
    { mailbox }: HostedMailbox,
    init: Pick<NewItem, 'id' | 'expiresAtHours' | 'pool' | 'body'>,
  ): NewItem {
    return { mailbox, kind: 'mail', receivedAtMs: this.#deps.clock.nowMs(), ...init }
  }

  /** What was taken before is answered again, and costs nothing more. */
  #repeated(hosted: HostedMailbox, item: NewItem): Admission | undefined {
    const { acknowledged, items } = this.#deps
    const { mailbox, id, expiresAtHours } = item
    if (acknowledged.has(mailbox, id)) return { kind: 'known', id, expiresAtHours }
    const isHere = items.has(mailbox, id) || this.#admitted.has(mapKey(id))
    return isHere ? this.#admit(hosted, item, []) : undefined
  }

  #admitNew(hosted: HostedMailbox, item: NewItem, rows: readonly RowChange[]): Admitted {
    this.#deps.room.added(hosted, item.body.length)
    return this.#admit(hosted, item, rows)
  }

  #admit(hosted: HostedMailbox, item: NewItem, rows: readonly RowChange[]): Admitted {
    this.#admitted.add(mapKey(item.id))
    reserve(hosted, item, 1)
    return { kind: 'store', hosted, item, rows }
  }

  /** Ends the reservation of admitted items: the store counts them from when they are queued. */
  release(admitted: readonly Admitted[]): void {
    for (const { hosted, item } of admitted) {
      this.#admitted.delete(mapKey(item.id))
      reserve(hosted, item, -1)
    }
  }

  #overQuota(hosted: HostedMailbox, { pool: itemPool, body }: NewItem): Admission | undefined {
    const used = this.#deps.items.usage(hosted.mailbox)[itemPool]
    const reserved = hosted.reserved[itemPool]
    const { itemsMax, bytesMax, retryMs } = this.#quota(hosted, itemPool)
    const itemCount = (used?.items ?? 0) + (reserved?.items ?? 0) + 1
    const bytes = (used?.bytes ?? 0) + (reserved?.bytes ?? 0) + body.length
    const isFull = itemCount > itemsMax || bytes > bytesMax
    return isFull || !this.#deps.room.hasRoom(hosted, body.length)
      ? refused('ABZU_QUOTA_EXCEEDED', retryMs)
      : undefined
  }

  #quota(
    { key }: HostedMailbox,
    itemPool: number,
  ): { itemsMax: number; bytesMax: number; retryMs: number } {
    const { limits, tiers } = this.#deps
    switch (itemPool) {
      case pool.contact: {
        const { contactItemsMax: itemsMax, contactBytesMax: bytesMax } = tiers.of(key)
        return { itemsMax, bytesMax, retryMs: 60_000 }
      }
      case pool.request:
        return {
          itemsMax: limits.requestItemsMax,
          bytesMax: limits.requestBytesMax,
          retryMs: 60_000,
        }
      default:
        return {
          itemsMax: limits.strangerItemsMax,
          bytesMax: limits.strangerBytesMax,
          retryMs: 600_000,
        }
    }
  }

  #overRate({ key: account }: HostedMailbox, { peer }: Origin): Admission | undefined {
    const waitMs = this.rates.take(account, peer)
    return waitMs > 0 ? refused('ABZU_RATE_LIMITED', waitMs) : undefined
  }

  #throughDoor(hosted: HostedMailbox, item: NewItem, door: Door): Admission {
    if (door.uses === undefined) return this.#admitNew(hosted, item, [])
    const { doorUses } = this.#deps
    const key = concatBytes(item.mailbox, door.id)
    const stored = doorUses.get(key)
    const used = Math.max(stored ? readU32be(stored) : 0, this.#uses.get(mapKey(key)) ?? 0)
    if (used >= door.uses) return refused('ABZU_DOOR_CLOSED')
    // bounded, since every use is in the table a moment later
    setNewest(this.#uses, [mapKey(key), used + 1], this.#deps.limits.rateKeysMax)
    return this.#admitNew(hosted, item, [{ table: doorUses.name, key, value: u32be(used + 1) }])
  }
}

function reserve(hosted: HostedMailbox, { pool: itemPool, body }: NewItem, sign: 1 | -1): void {
  const reserved = hosted.reserved[itemPool]
  if (!reserved) return
  reserved.items += sign
  reserved.bytes += sign * body.length
}
