import { toHex } from '../../base/util/bytes.ts'
import type { Account } from '../account/account.ts'
import type { Serial } from '../account/serial.ts'
import type { ContactBook } from './contact-book.ts'
import type { MessageLog } from './message-log.ts'

/** Lets go of strangers' requests that nobody answered in their time, messages and all; so a flood of them
 *  takes the room for others for a week at most. Returns how many went. */
export async function lapseRequests({
  account,
  book,
  messages,
  changes,
}: {
  readonly account: Account
  readonly book: ContactBook
  readonly messages: MessageLog
  readonly changes: Serial
}): Promise<number> {
  return changes.run(async () => {
    const nowMs = account.clock.nowMs()
    const lapsed = book.rows.filter(
      ({ standing, lapsesAt = Infinity }) => standing === 'request' && lapsesAt <= nowMs,
    )
    if (lapsed.length === 0) return 0
    const roots = new Set(lapsed.map(({ root }) => toHex(root)))
    const slots = messages.slotsOf(roots)
    await account.write([
      ...slots.map((slot) => messages.emptyDraft(slot)),
      ...lapsed.map(({ root }) => book.emptyDraft(root)),
    ])
    for (const slot of slots) messages.drop(slot)
    for (const { root } of lapsed) book.drop(root)
    return lapsed.length
  })
}
