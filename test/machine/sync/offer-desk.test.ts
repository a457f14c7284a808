import t from 'tap'
import type { ListedItem } from '../../../src/base/store/item-store.ts'
import type { MailboxId } from '../../../src/base/util/brand.ts'
import { offersOpenMax } from '../../../src/base/wire/sync.ts'
import { OfferDesk } from '../../../src/machine/sync/offer-desk.ts'

const mailbox = new Uint8Array(32) as MailboxId

function listed(): ListedItem {
  const head = { kind: 'chunk', id: new Uint8Array(32), arrival: 1, receivedAtMs: 0 } as const
  return { ...head, expiresAtHours: 0, pool: 0, sizeBytes: 1 } as unknown as ListedItem
}

t.test('many who offer at once open no more offers than there may be', async (t) => {
  const counts = { open: 0, most: 0 }
  const said: number[] = []
  const desk = new OfferDesk(
    { bodies: async () => [undefined] },
    (message) => {
      if (message.kind !== 'offer') return
      said.push(message.offer)
      counts.most = Math.max(counts.most, ++counts.open)
    },
    { ready: async () => {}, abort: (error) => t.fail(error.message) },
  )
  const all = Array.from({ length: 3 * offersOpenMax }, async () => desk.offer(mailbox, [listed()]))
  for (let answered = 0; answered < all.length;) {
    await new Promise((resolve) => setImmediate(resolve))
    const number = said.shift()
    if (number === undefined) continue
    counts.open--
    answered++
    desk.wanted(number, new Uint8Array(1))
  }
  await Promise.all(all)
  t.equal(counts.most, offersOpenMax)
})
