import type { Test } from 'tap'
import type { MailboxId } from '../../../src/base/util/brand.ts'
import { isAbzuError } from '../../../src/base/util/errors.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import { recordProtocol } from '../../../src/base/wire/protocols.ts'
import { encodeRecordRequest } from '../../../src/base/wire/record-call.ts'
import { call } from '../../../src/machine/transport/call.ts'
import type { Target } from './arena.ts'
import { Intruder } from './intruder.ts'

const timeoutMs = 5000
const questionsMax = 100
const pauseMs = 100

/** Asks the attacked for the record of a mailbox as any node may, again for 10 s at most while it has none;
 *  undefined where it has none then either. */
export async function recordAt(
  t: Test,
  { peerId, tcp }: Target,
  mailbox: MailboxId,
): Promise<Uint8Array | undefined> {
  const visitor = await Intruder.open(t, tcp, { from: '127.0.190.1' })
  const request = encodeRecordRequest({ kind: 'get', mailbox })
  try {
    for (let n = 0; n < questionsMax; n++) {
      try {
        return await call(visitor, peerId, recordProtocol, request, {
          timeoutMs,
          scheduler: systemScheduler,
        })
      } catch (error) {
        if (!isAbzuError(error, 'ABZU_NOT_FOUND')) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
    return undefined
  } finally {
    await visitor.leave()
  }
}
