/** Looks at the records of every mailbox that is hosted here. @module */

import { openMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { type Clock, hoursOf } from '../../base/util/clock.ts'
import { isAbzuError } from '../../base/util/errors.ts'
import type { RecordCondition } from '../node/node-findings.ts'
import type { Mailboxes } from './mailboxes.ts'

export interface RecordConditionsDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519'>
  readonly mailboxes: Pick<Mailboxes, 'hosted' | 'record'>
  readonly clock: Pick<Clock, 'nowMs'>
  /** Hours since another node took the record; undefined where nothing publishes it. */
  readonly hoursSincePublished: (mailbox: MailboxId) => number | undefined
}

/** An examination answers soon, however many accounts there are. */
const examinedMax = 1000

export async function recordConditions(deps: RecordConditionsDeps): Promise<RecordCondition[]> {
  const { platform, mailboxes, clock, hoursSincePublished } = deps
  const conditions: RecordCondition[] = []
  for await (const { mailbox, rootPk } of mailboxes.hosted(examinedMax)) {
    conditions.push({
      hoursLeft: await hoursLeft(mailbox, rootPk),
      hoursSincePublished: hoursSincePublished(mailbox),
    })
  }
  return conditions

  async function hoursLeft(mailbox: MailboxId, rootPk: Uint8Array): Promise<number | undefined> {
    try {
      const signed = await mailboxes.record(mailbox)
      if (!signed) return undefined
      const { notAfterHours } = openMailboxRecord(platform, signed, rootPk)
      return notAfterHours - hoursOf(clock.nowMs())
    } catch (error) {
      // one that is damaged does not hold
      if (!isAbzuError(error)) throw error
      return undefined
    }
  }
}
