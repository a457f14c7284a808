import type { Scheduler } from '../../base/util/clock.ts'
import type { Answer, Request } from '../client/routes.ts'
import { progressLines } from './progress-lines.ts'
import type { AccountsService, MemberService, NodeService } from './services.ts'

export interface MoveLinesDeps {
  readonly accounts: Pick<AccountsService, 'move'>
  readonly node: Pick<NodeService, 'nameOf'>
  readonly scheduler: Scheduler
  /** Ends all sessions of an account. */
  readonly endSessions: (id: string) => void
}

/** How far a move has come, again and again, and in the end where the account lives.
 *  @throws {AbzuError} those of AccountsService.move; the signal's reason */
export async function* moveLines(
  { accounts, node, endSessions, ...deps }: MoveLinesDeps,
  init: {
    readonly member: MemberService
    readonly body: Request<'moveAccount'>['body']
    readonly signal: AbortSignal
  },
): AsyncGenerator<Answer<'moveAccount'>> {
  const { id } = init.member
  const { to } = init.body
  const { signal } = init
  const lines = progressLines(deps, {
    first: { isCopying: false },
    signal,
    run: async (tell) => {
      const progress = (isCopying: boolean) => tell({ isCopying })
      const moved = await accounts.move(id, { to, progress, signal })
      endSessions(id)
      return moved
    },
  })
  for await (const line of lines) {
    if ('progress' in line) yield line
    else yield { moved: { ...line.ended, name: node.nameOf(line.ended.to) ?? null } }
  }
}
