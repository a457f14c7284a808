/** Nodes that say what is not so. @module */

import { unverifiedRecord } from '../../src/base/crypto/mailbox-record.ts'
import type { ItemBody, ListedItem } from '../../src/base/store/item-store.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { concatBytes, equalBytes, mapKey } from '../../src/base/util/bytes.ts'
import { encode } from '../../src/base/wire/codec.ts'
import { envelopeHeaderBytes } from '../../src/base/wire/envelope.ts'
import { decodeRecordRequest, encodePutAnswer } from '../../src/base/wire/record-call.ts'
import { times } from './occasions.ts'
import type { Person } from './people.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

/** One node answers questions about records with old ones and forged ones, takes what it is offered without keeping
 *  it, and offers others what it makes up. */
export function lieOfRecords(world: World, durationMs: number): void {
  const { random, nodes, people, records, counts } = world
  const liar = random.pick(nodes)
  const honest = nodes.filter((node) => node !== liar)
  /** An old record of a person, or one that the person has not signed. */
  const lieOf = (person: Person | undefined): Uint8Array | undefined => {
    const old = person && records.of(person)[0]
    return old && (random.chance(0.5) ? old : forged(old))
  }
  liar.answer = (answer) => async (payload, context) => {
    const request = decodeRecordRequest(payload)
    counts.count('lying-holder')
    if (request.kind === 'put') {
      if (random.chance(0.5)) return encodePutAnswer({ kind: 'held' })
      return encodePutAnswer({ kind: 'stale', record: forged(request.record) })
    }
    const mailbox = request.mailbox as MailboxId
    const lie = lieOf(people.find((person) => equalBytes(person.mailbox(), mailbox)))
    return lie && random.chance(0.8) ? lie : answer(payload, context)
  }
  times(world, durationMs, 6, () => {
    const lie = lieOf(random.pick(people))
    const { running, name } = random.pick(honest)
    if (!lie || !running) return
    counts.count('lying-holder')
    world.spawn(`${liar.name} offers ${name} a record`, async () => {
      await running.held.put(lie, liar.peerId)
    })
  })
}

/** A node gives away copies that are altered, or others in their place that it had once; it withholds some, and offers
 *  mail again that it has taken out. */
export function lieOfCopies({ random, nodes, counts }: World): void {
  const liar = random.pick(nodes)
  const slots = new Map<string, ItemBody[]>()
  const mail = new Map<string, Map<ListedItem, ItemBody>>()
  const lieOf = (mailbox: MailboxId, { kind }: ListedItem, body: ItemBody) => {
    const earlier = kind === 'slot' ? slots.get(mapKey(mailbox)) : undefined
    if (!random.chance(0.4)) return body
    const way = random.pick(['withheld', 'altered', 'replayed'])
    if (way === 'withheld') return undefined
    return way === 'replayed' && earlier ? random.pick(earlier) : altered(random, body)
  }
  liar.lies = {
    bodies: (mailbox, heads, found) => {
      const key = mapKey(mailbox)
      const kept = mail.get(key) ?? new Map<ListedItem, ItemBody>()
      mail.set(key, kept)
      return heads.map((head, n) => {
        const body = found[n] ?? kept.get(head)
        if (!body) return undefined
        if (head.kind === 'mail') kept.set(head, body)
        const given = found[n] ? lieOf(mailbox, head, body) : body
        if (given !== found[n]) counts.count('lying-copy')
        if (head.kind === 'slot') slots.set(key, [...(slots.get(key) ?? []), body])
        return given
      })
    },
    besides: (mailbox) => [...(mail.get(mapKey(mailbox))?.keys() ?? [])],
  }
}

/** One bit is another; behind the header of mail, since what seems sealed to another key waits for that till its end. */
function altered(random: Random, item: ItemBody): ItemBody {
  const { body, ...rest } = item
  const from = rest.signed ? 0 : envelopeHeaderBytes
  if (body.length <= from) return item
  const copy = Uint8Array.from(body)
  const at = from + random.below(copy.length - from)
  copy[at] = (copy[at] as number) ^ (1 << random.below(8))
  return { ...rest, body: copy }
}

/** A newer record under the signature of an older one. */
function forged(signed: Uint8Array): Uint8Array {
  const record = unverifiedRecord(signed)
  return concatBytes(encode({ ...record, seq: record.seq + 10 }), signed.subarray(-64))
}
