/**
 * Tells contacts that devices of the account were revoked: once each, by a letter with nothing to read that carries
 * the identity document. What was signed by such a device and has not arrived for sure is sealed anew before, under
 * the same msgId: whoever has been told takes the old one for a forgery.
 * @see docs/protocol.md#rotation
 * @module
 */

import { toHex } from '../../base/util/bytes.ts'
import { isAbzuError, type AbzuError } from '../../base/util/errors.ts'
import type { ContactRow } from './contact-row.ts'
import type { LoggedMessage } from './message-log.ts'
import { isResealable, sealed } from './outgoing.ts'
import type { PlacedMessage, Sender, SenderDeps } from './sender.ts'

export interface KeyNewsDeps extends Pick<
  SenderDeps,
  'account' | 'book' | 'messages' | 'changes' | 'guardian' | 'log'
> {
  readonly sender: Pick<Sender, 'place' | 'postLater'>
}

/** Tells every contact that has not been told yet. Resolves to their number when what tells them is durable and waits to be
 *  posted.
 *  @throws {AbzuError} those of the store; the signal's reason */
export async function tellOfKeys(deps: KeyNewsDeps, signal: AbortSignal): Promise<number> {
  const { account, book, messages, changes, guardian, log } = deps
  if (account.revocation === undefined) return 0
  const onTheWay = Map.groupBy(
    messages.all().filter((one) => one.itemKey !== undefined && isResealable(one)),
    ({ contact }) => contact,
  )
  let told = 0
  for (const { root } of book.rows) {
    signal.throwIfAborted()
    await changes.run(async () => {
      const row = book.byRoot(root)
      if (!row || !isToBeTold(row, account.identitySeq)) return
      // whom a Child may not write to is told once that is approved
      if (guardian && guardian.approvalOf(root) !== 'approved') return
      try {
        await tell(deps, row, onTheWay.get(toHex(root)) ?? [])
        told++
      } catch (error) {
        if (!isNoWay(error)) throw error
        log.warn('contact-not-told-of-keys', { error })
      }
    })
  }
  return told
}

function isToBeTold({ standing, toldSeq = 0, ownToken, reach }: ContactRow, seq: number): boolean {
  return standing === 'accepted' && toldSeq < seq && ownToken !== undefined && reach !== undefined
}

async function tell(
  { account, book, messages, sender }: KeyNewsDeps,
  row: ContactRow,
  onTheWay: readonly LoggedMessage[],
): Promise<void> {
  const told: ContactRow = { ...row, toldSeq: account.identitySeq, returnAddress: 'unsent' }
  const placed: PlacedMessage[] = []
  for (const { slot } of onTheWay) {
    const message = await messages.read({ slot })
    if (message?.outgoing) placed.push({ slot, row: await sealed(account, message, told) })
  }
  placed.push(await sender.place(told, { type: 'hello', text: '' }))
  await account.write([
    book.draft(told),
    ...placed.map(({ slot, row: message }) => messages.draft(slot, message)),
  ])
  book.keep(told)
  for (const { slot, row: message } of placed) sender.postLater(messages.keep(slot, message))
}

/** Whoever takes no letters now is told when they do. */
function isNoWay(error: unknown): error is AbzuError {
  return isAbzuError(error, 'ABZU_STRANGERS_REFUSED') || isAbzuError(error, 'ABZU_STAMP_TOO_COSTLY')
}
