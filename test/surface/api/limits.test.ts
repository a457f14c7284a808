import t from 'tap'
import { refusal, testApi } from '../../support/api.ts'

const change = { account: 'berta', limits: { mailBytes: 700 } }

t.test('a Child sees its own limits, and changes nobody’s', async (t) => {
  const { ask, anna, services } = await testApi(t)
  services.accounts.become('anna', 'child')
  const token = anna.token
  const own = await ask({ method: 'GET', url: '/v1/limits/own', token })
  t.match(own.json(), { name: 'anna', use: { mailBytes: 5 } })
  for (const call of [
    { method: 'GET', url: '/v1/limits' } as const,
    { method: 'POST', url: '/v1/limits', body: change } as const,
    { method: 'POST', url: '/v1/limits', body: { ...change, account: 'anna' } } as const,
    { method: 'POST', url: '/v1/limits', body: { node: true, limits: {} } } as const,
  ]) {
    const { status, json } = await ask({ ...call, token })
    t.equal(status, 403)
    t.match(json(), refusal('ABZU_DENIED'))
  }
  t.strictSame(services.limits.person('berta').set, [])
})

t.test('every call is counted, once, for whoever makes it', async (t) => {
  const { ask, anna, berta, services } = await testApi(t)
  const { calls } = services.limits
  calls.length = 0
  await ask({ method: 'GET', url: '/v1/status' })
  await ask({ method: 'GET', url: '/v1/status', token: anna.token })
  await ask({ method: 'GET', url: '/v1/contacts', token: berta.token })
  t.strictSame(calls, [undefined, anna.member.id, berta.member.id])
  services.limits.tooFast = anna.member.id
  const { status, json } = await ask({ method: 'GET', url: '/v1/contacts', token: anna.token })
  t.equal(status, 429)
  t.match(json(), refusal('ABZU_RATE_LIMITED'))
  t.equal((await ask({ method: 'GET', url: '/v1/contacts', token: berta.token })).status, 200)
})
