import t from 'tap'
import type { ItemId, MailboxId, PeerId } from '../../../src/base/util/brand.ts'
import { compareBytes, toHex } from '../../../src/base/util/bytes.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import {
  decodeHead,
  decodeOutcome,
  encodeHead,
  encodeOutcome,
  outcomeKey,
  placeKey,
} from '../../../src/machine/mailbox/outbox-row.ts'
import { handOff } from '../../support/hand-off.ts'

const bytes = (length: number) => new Uint8Array(length).fill(9)
const head = {
  id: bytes(32),
  from: bytes(32),
  to: bytes(32),
  hosts: [],
  stamp: bytes(8),
  expiresAtHours: 500_000,
}

function shown(row: object): object {
  const fields = Object.entries(row)
  return Object.fromEntries(
    fields.map(([name, value]) => [name, value instanceof Uint8Array ? toHex(value) : value]),
  )
}

t.test('rows say what they said', async (t) => {
  const whole = { ...head, sealedBy: { docSeq: 1, seq: 7 }, heldUntilHours: 499_000 }
  t.strictSame(shown(decodeHead(encodeHead(whole))), shown({ v: 2, ...whole }))
  const old = decodeHead(encode({ v: 1, ...head }))
  t.strictSame(shown(old), shown({ v: 1, ...head }), 'of version 1')
  t.throws(() => decodeHead(encode({ v: 3, ...head })), { code: 'ABZU_MALFORMED' })
  const id = bytes(32) as ItemId
  const outcome = { id, state: 'held' as const, atMs: 1, by: 'p' as PeerId, holdUntilHours: 2 }
  t.strictSame(shown(decodeOutcome(encodeOutcome(outcome))), shown(outcome))
})

t.test(
  'the last outcome of a letter comes behind the one before, and before the next letter',
  async (t) => {
    const from = bytes(32) as MailboxId
    const key = (seq: number, state: 'held' | 'delivered') => outcomeKey(from, seq, { state })
    const keys = [key(1, 'held'), key(1, 'delivered'), key(2, 'held'), key(2, 'delivered')]
    t.strictSame(keys.toSorted(compareBytes), keys)
  },
)

t.test('an outbox of before is taken up: letters, and outcomes under their old keys', async (t) => {
  const { time, origin, letter, post, told, outcomes } = await handOff(t)
  const { from, to, hosts, sealedBy: _, envelope, id, ...pass } = await letter()
  const { requestId: __, ...rest } = pass as typeof pass & { requestId: number }
  const expiresAtHours = Math.floor(time.nowMs() / 3_600_000) + 24
  const row = { v: 1, id, from, to, hosts, ...rest, expiresAtHours }
  const old = { v: 1, id: bytes(32), state: 'delivered', atMs: 1, by: 'p' }
  const oldKey = outcomeKey(from, 4, { state: 'held' }).subarray(0, 40)
  await origin.stop()
  await origin.store.commit([
    { table: 'outbox', key: placeKey(5), value: encode(row) },
    { table: 'outbox-envelopes', key: placeKey(5), value: envelope },
    { table: 'outcomes', key: oldKey, value: encode(old) },
  ])
  await origin.start()
  await post()
  await time.advance(1000)
  t.match(await told(), [/^0909.* delivered$/, / delivered$/, / delivered$/])
  await origin.outbox.settle(from, await outcomes())
  t.strictSame(await told(), [])
})
