/** What the routes do by which Admins and Adults look after a Child. @module */

import type { Clock } from '../../base/util/clock.ts'
import type { oversightRoutes } from '../client/oversight-routes.ts'
import type { Handlers } from './calls.ts'
import type { OversightService } from './services.ts'

export function oversightHandlers({
  oversight,
  clock,
}: {
  readonly oversight: OversightService
  readonly clock: Pick<Clock, 'nowMs'>
}): Pick<Handlers, keyof typeof oversightRoutes> {
  return {
    children: async ({ member }) => ({ children: await oversight.look({ by: member.id }) }),
    child: async ({ member, params }) => {
      const [child] = await oversight.look({ by: member.id, child: params.account })
      return child as NonNullable<typeof child>
    },
    decideContact: ({ member, params, body }) =>
      oversight.decide({ by: member.id, child: params.account, ...body }),
    ruleChild: ({ member, params, body }) =>
      oversight.rule({ by: member.id, child: params.account, ...body }),
    inspectChild: ({ member, params, body: { since, until, reason } }) =>
      oversight.inspect({
        by: member.id,
        child: params.account,
        fromMs: Date.parse(since),
        untilMs: until === undefined ? clock.nowMs() : Date.parse(until),
        reason,
      }),
    audit: ({ member }) => oversight.audit({ by: member.id }),
  }
}
