/** What the routes about passwords, keys and words do. @module */

import { utf8 } from '../../base/util/bytes.ts'
import type { Answer, Request } from '../client/routes.ts'
import type { KeysService, MemberService } from './services.ts'
import type { Sessions } from './sessions.ts'

export interface KeyHandlerDeps {
  readonly keys: KeysService
  readonly sessions: Pick<Sessions, 'endAll'>
  readonly openSession: (member: MemberService) => Answer<'unlock'>
}

interface MemberCall {
  readonly member: MemberService
}

/** The handlers of these routes: a part of all of them. */
export function keyHandlers({ keys, sessions, openSession }: KeyHandlerDeps) {
  return {
    changePassword: async ({ member, body }: MemberCall & Request<'changePassword'>) => {
      await withPassword(body.password, async (password) =>
        withPassword(body.newPassword, async (next) =>
          keys.changePassword(member.id, { password, next }),
        ),
      )
      // who has a session by the old password has it no longer
      sessions.endAll(member.id)
      return openSession(member)
    },
    rotateKeys: async ({ body }: Request<'rotateKeys'>) => {
      const { account, words, password, revoke } = body
      const member = await withPassword(password, (bytes) =>
        keys.rotate(account, {
          password: bytes,
          revoke,
          words: words === undefined ? undefined : [words],
        }),
      )
      return openSession(member)
    },
    devices: async ({ member }: MemberCall) => ({ devices: [...(await keys.devices(member.id))] }),
  }
}

/** Gives the password's bytes to `use` and wipes them. The text that carried them is the garbage
 *  collector's: JavaScript cannot wipe it. */
export async function withPassword<T>(
  password: string,
  use: (bytes: Uint8Array) => Promise<T>,
): Promise<T> {
  const bytes = utf8(password.normalize('NFC'))
  try {
    return await use(bytes)
  } finally {
    bytes.fill(0)
  }
}
