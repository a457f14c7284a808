/** What the routes do by which Admins and Adults look after a Child. @module */

import type { oversightRoutes } from '../client/oversight-routes.ts'
import type { Handlers } from './calls.ts'
import type { OversightService } from './services.ts'

export function oversightHandlers({
  oversight,
}: {
  readonly oversight: OversightService
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
  }
}
