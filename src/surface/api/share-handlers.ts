/** What the routes about shares of an account's words do. @module */

import type { Log } from '../../base/util/log.ts'
import type { Request } from '../client/routes.ts'
import type { MemberService } from './services.ts'

interface MemberCall {
  readonly member: MemberService
}

/** Friends who are there have their share by then. */
const waitMs = 5000

/** The handlers of these routes: a part of all of them. */
export function shareHandlers({ log }: { readonly log: Log }) {
  return {
    shareWords: async ({
      member,
      signal,
      body: { words, need, to },
    }: MemberCall & { readonly signal: AbortSignal } & Request<'shareWords'>) => {
      const sent = await member.shares.give({ words: [words], need, to })
      const shares = await Promise.all(
        sent.map(async (one) => {
          try {
            const wait = { timeoutMs: waitMs, signal }
            const { state } = await member.messages.settled(one.msgId, wait)
            return { ...one, state }
          } catch (error) {
            // the letter is on its way: a wait that fails must not look like a failure to send
            log.debug('share-wait-ended', { error: error as Error })
            return { ...one, state: 'queued' as const }
          }
        }),
      )
      return { need, shares }
    },
    shares: async ({ member }: MemberCall) => ({ shares: [...(await member.shares.list())] }),
    showShare: async ({ member, params }: MemberCall & Request<'showShare'>) => ({
      shares: [...(await member.shares.show(params.contact))],
    }),
  }
}
