/** What an account writes for its hosts to read: acknowledgements and doors. */

import t from 'tap'
import { mapKey } from '../../../src/base/util/bytes.ts'
import type { ItemId, MailboxId } from '../../../src/base/util/brand.ts'
import { parsePlainSlot } from '../../../src/base/wire/plain-slot.ts'
import {
  acknowledgementShape,
  doorShape,
  type Acknowledgement,
  type Door,
} from '../../../src/base/wire/records.ts'
import { decodeShape } from '../../../src/base/wire/shape.ts'
import { Acknowledgements } from '../../../src/user/account/acknowledgements.ts'
import { Doors } from '../../../src/user/account/doors.ts'
import type { SlotDraft } from '../../../src/user/account/slot-draft.ts'
import { quickPlatform } from '../../support/household.ts'
import { ManualTime } from '../../support/manual-time.ts'

const platform = quickPlatform()
const mailbox = new Uint8Array(32).fill(1) as MailboxId
const dayMs = 86_400_000

/** The plain slots of a mailbox: drafts written into it. */
class Slots {
  readonly bodies = new Map<string, Uint8Array>()

  write(drafts: readonly SlotDraft[]): this {
    for (const draft of drafts) this.bodies.set(mapKey(draft.key), draft.body(1))
    return this
  }

  get acknowledgements(): Map<string, Acknowledgement> {
    const found = new Map<string, Acknowledgement>()
    for (const [key, body] of this.bodies) {
      if (body.length === 0) continue
      const { content } = parsePlainSlot(body)
      found.set(key, decodeShape(acknowledgementShape, content, 'acknowledgement'))
    }
    return found
  }

  get doors(): Door[] {
    return [...this.bodies.values()]
      .filter((body) => body.length > 0)
      .map((body) => decodeShape(doorShape, parsePlainSlot(body).content, 'door'))
  }
}

function acknowledgementsOf(time: ManualTime, slots: Slots): Acknowledgements {
  const device = new Uint8Array(32).fill(2)
  const stored = slots.acknowledgements
  return new Acknowledgements({ platform, mailbox, device, clock: time, stored })
}

const ids = (count: number): ItemId[] =>
  Array.from({ length: count }, () => platform.random(32) as ItemId)
const listed = ({ acknowledgements }: Slots): number =>
  [...acknowledgements.values()].reduce((sum, { ids: all }) => sum + all.length / 16, 0)

t.test('acknowledgements fill parts of 256 ids', async (t) => {
  const time = new ManualTime()
  const slots = new Slots()
  const acknowledgements = acknowledgementsOf(time, slots)
  t.same(acknowledgements.drafts([]), [])
  t.equal(acknowledgements.drafts(ids(10)).length, 1)
  slots.write(acknowledgements.drafts(ids(10)))
  t.equal(listed(slots), 20, 'earlier ids are kept')
  slots.write(acknowledgements.drafts(ids(500)))
  t.same(
    [...slots.acknowledgements.values()]
      .map(({ ids: all }) => all.length / 16)
      .sort((a, b) => b - a),
    [256, 256, 8],
  )
  const again = ids(3)
  slots.write(acknowledgements.drafts(again))
  slots.write(acknowledgements.drafts(again))
  t.equal(listed(slots), 523, 'no id twice')
})

t.test('a restart goes on where the last one stopped', async (t) => {
  const time = new ManualTime()
  const slots = new Slots()
  for (let n = 0; n < 6; n++) {
    slots.write(acknowledgementsOf(time, slots).drafts(ids(100)))
    t.equal(listed(slots), 100 * (n + 1))
  }
  time.jump(dayMs)
  slots.write(acknowledgementsOf(time, slots).drafts(ids(1)))
  time.jump(-dayMs)
  slots.write(acknowledgementsOf(time, slots).drafts(ids(1)))
  t.equal(listed(slots), 602, 'and a clock that goes back overwrites nothing')
})

t.test('acknowledgements go when no copy of the mail is left', async (t) => {
  const time = new ManualTime()
  const slots = new Slots()
  slots.write(acknowledgementsOf(time, slots).drafts(ids(300)))
  time.jump(33 * dayMs)
  t.same(acknowledgementsOf(time, slots).expired(), [])
  time.jump(dayMs)
  const acknowledgements = acknowledgementsOf(time, slots)
  slots.write(acknowledgements.expired())
  t.equal(slots.acknowledgements.size, 0)
  t.same(acknowledgements.expired(), [])
})

t.test('doors of contacts are prolonged, doors of links end', async (t) => {
  const time = new ManualTime()
  const slots = new Slots()
  const doorsOf = () => new Doors({ platform, mailbox, clock: time, stored: slots.doors })
  const doors = doorsOf()
  const contact = doors.forContact()
  slots.write([contact.draft, doors.forLink({ days: 30, uses: 3 }).draft])
  t.match(
    slots.doors
      .map(({ pool, uses }) => ({ pool, uses }))
      .sort((a, b) => (a.pool < b.pool ? -1 : 1)),
    [
      { pool: 'contact', uses: undefined },
      { pool: 'request', uses: 3 },
    ],
  )
  t.same(doors.upkeep(), [], 'nothing to do today')
  time.jump(31 * dayMs)
  slots.write(doors.upkeep())
  t.match(slots.doors, [{ pool: 'contact' }])
  const [before] = slots.doors
  time.jump(80 * dayMs)
  slots.write(doorsOf().upkeep())
  const [after] = slots.doors
  t.ok((after?.untilHours ?? 0) > (before?.untilHours ?? 0))
  t.same(after?.key, before?.key, 'the same door')
  slots.write([doorsOf().shut(contact.token)])
  t.same(slots.doors, [])
})
