import t from 'tap'
import type { Route } from '../../../src/surface/client/route.ts'
import { routes, type RouteName } from '../../../src/surface/client/routes.ts'
import {
  actorKinds,
  isAllowed,
  type ActorKind,
  type TargetKind,
} from '../../../src/user/household/decisions.ts'
import { roles } from '../../../src/user/household/role.ts'
import { refusal, testApi } from '../../support/api.ts'
import { callOf, prepare } from '../../support/api-cases.ts'

const all = Object.entries(routes) as [RouteName, Route][]

/** What a route can be about. */
function targetsOf({ on }: Route): readonly TargetKind[] {
  if (on === undefined) return ['node']
  if (on === 'self') return ['self']
  return on === 'role' ? roles : ['self', ...roles]
}

t.test('I20: over HTTP every route asks the table, for every role and target', async (t) => {
  let denied = 0
  let allowed = 0
  for (const [name, route] of all) {
    for (const actor of actorKinds) {
      for (const target of targetsOf(route)) {
        const api = await testApi(t)
        await prepare(api)
        const { status, json } = await askAs(api, name, { actor, target })
        const cell = `${actor} ${name} ${target}`
        if (actor === 'owner' && route.caller === 'member') {
          t.equal(status, 401, cell)
        } else if (isAllowed(actor, route.operation, target)) {
          t.not(status, 403, cell)
          allowed++
        } else {
          t.equal(status, 403, cell)
          t.match(json(), refusal('ABZU_DENIED'), cell)
          denied++
        }
        await api.app.close()
      }
    }
  }
  t.ok(denied > 30 && allowed > 100, `${denied} denied, ${allowed} allowed`)
})

async function askAs(
  { ask, anna, services }: Awaited<ReturnType<typeof testApi>>,
  name: RouteName,
  { actor, target }: { actor: ActorKind; target: TargetKind },
) {
  const call = callOf(name)
  const { on } = routes[name] as Route
  if (actor !== 'owner') services.accounts.become('anna', actor)
  if (target !== 'node' && target !== 'self') services.accounts.become('berta', target)
  const who = target === 'self' ? 'anna' : 'berta'
  return ask({
    ...call,
    ...(on === 'account' && { url: call.url.replace(/\/berta(?=\/|$)/, `/${who}`) }),
    ...(on === 'role' && { body: { ...(call.body as object), role: target } }),
    ...(actor !== 'owner' && { token: anna.token }),
  })
}
