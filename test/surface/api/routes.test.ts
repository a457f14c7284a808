import t, { type Test } from 'tap'
import type { Route } from '../../../src/surface/client/route.ts'
import { routes, type RouteName } from '../../../src/surface/client/routes.ts'
import { refusal, testApi, type Asked, type TestApi } from '../../support/api.ts'
import { callOf, cases, prepare, stranger } from '../../support/api-cases.ts'
import { fakeId } from '../../support/fake-services.ts'

const everyBodyRefuses = [null, [], 'text', 7, true, {}, { unknown: 1 }, { __proto__: null, a: 1 }]

async function prepared(t: Test): Promise<TestApi> {
  const api = await testApi(t)
  await prepare(api)
  return api
}

const all = Object.entries(routes) as [RouteName, Route][]

t.test('every route answers a good call', async (t) => {
  t.ok(all.length > 10)
  for (const [name, { caller, text: told, bytes }] of all) {
    const media = bytes ? 'application/octet-stream' : told
    const { ask, anna, services } = await prepared(t)
    const { as = 'admin', target = 'admin' } = cases[name]
    services.accounts.become('anna', as)
    services.accounts.become('berta', target)
    const { status, headers, text, json } = await ask({
      ...callOf(name),
      ...(caller === 'member' && { token: anna.token }),
    })
    t.equal(status, 200, name)
    t.match(media === undefined ? json() : text, cases[name].answers, name)
    if (media !== undefined) t.equal(headers['content-type'], media)
    t.equal(headers['cache-control'], 'no-store')
    t.notOk(headers['access-control-allow-origin'])
  }
})

t.test('every route with a session refuses to go without, whatever is said', async (t) => {
  const { ask, anna, services } = await prepared(t)
  const [, lastToken = ''] = /(.)$/.exec(anna.token) ?? []
  const forged = anna.token.slice(0, -1) + (lastToken === 'A' ? 'E' : 'A')
  const authorizations = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `bearer ${anna.token}`,
    `Basic ${anna.token}`,
    `Bearer ${anna.token}x`,
    `Bearer ${anna.token} x`,
    `Bearer ${anna.token},${anna.token}`,
    `Bearer ${forged}`,
    `Bearer ${'A'.repeat(43)}`,
    `Bearer ${fakeId(0)}`,
  ]
  const closed = all.filter(([, { caller }]) => caller === 'member')
  t.ok(closed.length > 8)
  for (const [name] of closed) {
    for (const authorization of authorizations) {
      const { status, json } = await ask({
        ...callOf(name),
        ...(authorization !== undefined && { headers: { authorization } }),
      })
      t.equal(status, 401, `${name}: ${authorization ?? 'nothing'}`)
      t.match(json(), refusal('ABZU_SESSION_INVALID'))
    }
  }
  t.equal(services.accounts.member('anna').sent.length, 1, 'nothing was done')
})

t.test('a session acts as its own account, whoever is named beside', async (t) => {
  const { ask, anna, berta } = await prepared(t)
  berta.member.receive({ text: 'for berta only' })
  const own = [
    { caller: anna, mine: /hello/, other: /for berta only/ },
    { caller: berta, mine: /for berta only/, other: /hello/ },
  ]
  for (const { caller, mine, other } of [...own, ...own]) {
    for (const call of [
      { url: '/v1/inbox?account=anna' },
      { url: `/v1/inbox?token=${anna.token}` },
      { url: '/v1/inbox', headers: { 'x-account': 'berta', cookie: `token=${berta.token}` } },
    ]) {
      const { text } = await ask({ method: 'GET', token: caller.token, ...call })
      t.match(text, mine)
      t.notMatch(text, other)
    }
  }
  for (const [name, { caller }] of all) {
    const isOfAll = caller === 'anyone' || routes[name].operation.startsWith('account.')
    if (isOfAll || name === 'createLink') continue
    const { text, status } = await ask({ ...callOf(name), token: berta.token })
    if (name === 'addContact' || name === 'contacts' || name === 'inbox') t.equal(status, 200)
    t.notMatch(text, 'earlier', name)
    t.equal(anna.member.sent.length, 1, `${name}: nothing is sent as anna`)
    t.equal(anna.member.known.get(stranger)?.name, 'friend', `${name}: anna's contacts are hers`)
  }
  await ask({ method: 'POST', url: '/v1/lock', token: berta.token })
  const { status } = await ask({ method: 'GET', url: '/v1/inbox', token: anna.token })
  t.equal(status, 200, 'berta locked nobody but berta')
})

t.test('a locked account takes no call, and its sessions do not come back with it', async (t) => {
  for (const [name, { caller }] of all.filter(([, { caller }]) => caller === 'member')) {
    const { ask, anna, services } = await prepared(t)
    await services.accounts.lock('anna')
    const locked = await ask({ ...callOf(name), token: anna.token })
    t.equal(locked.status, 423, `${name} (${caller})`)
    t.match(locked.json(), refusal('ABZU_LOCKED'))
    await services.accounts.unlock('anna', Buffer.from('password of anna'))
    const stale = await ask({ ...callOf(name), token: anna.token })
    t.equal(stale.status, 401, name)
  }
})

t.test('a lock and an unlocking that no request saw end a session too', async (t) => {
  const { ask, anna, services } = await prepared(t)
  await services.accounts.lock('anna')
  await services.accounts.unlock('anna', Buffer.from('password of anna'))
  const { status } = await ask({ method: 'GET', url: '/v1/inbox', token: anna.token })
  t.equal(status, 401)
})

t.test('locking ends every session of the account', async (t) => {
  const { ask, anna } = await prepared(t)
  const body = { account: 'anna', password: 'password of anna' }
  const second = (await ask({ method: 'POST', url: '/v1/sessions', body })).json() as {
    token: string
  }
  t.not(second.token, anna.token)
  t.equal((await ask({ method: 'POST', url: '/v1/lock', token: second.token })).status, 200)
  for (const token of [anna.token, second.token]) {
    t.equal((await ask({ method: 'GET', url: '/v1/contacts', token })).status, 401)
  }
  t.equal((await ask({ method: 'POST', url: '/v1/sessions', body })).status, 200)
  t.equal((await ask({ method: 'GET', url: '/v1/contacts', token: anna.token })).status, 401)
})

t.test('every body is checked before anything is done', async (t) => {
  for (const [name, route] of all) {
    if (!('body' in route)) continue
    const { ask, anna } = await prepared(t)
    const isOptional = ['createLink', 'invitePeer', 'letGrowUp'].includes(name)
    const optional = isOptional ? [JSON.stringify({})] : []
    for (const body of [...everyBodyRefuses, ...(cases[name].refuses ?? [])]) {
      if (optional.includes(JSON.stringify(body))) continue
      const { status, json } = await ask({ ...callOf(name), body, token: anna.token })
      t.equal(status, 400, `${name}: ${JSON.stringify(body).slice(0, 60)}`)
      t.match(json(), refusal('ABZU_INVALID_ARGUMENT'))
    }
    const bad = { ...callOf(name), token: anna.token }
    t.equal((await ask({ ...bad, raw: '{"a":' })).status, 400, `${name}: cut off`)
    t.equal((await ask({ ...bad, raw: '' })).status, 400, `${name}: empty`)
    t.equal((await ask({ ...bad, raw: '{"__proto__":{}}' })).status, 400, `${name}: poisoned`)
    const text = { 'content-type': 'text/plain' }
    t.equal((await ask({ ...bad, headers: text })).status, 415, `${name}: no JSON`)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    t.equal((await ask({ ...bad, raw: 'a=1', headers: form })).status, 415, `${name}: a form`)
    const huge = await ask({ ...bad, raw: `"${'x'.repeat(1024 * 1024)}"` })
    t.equal(huge.status, 413, `${name}: oversize`)
    t.match(huge.json(), refusal('ABZU_TOO_LARGE'))
  }
})

t.test('what is not in the table does not exist', async (t) => {
  const { ask, anna } = await prepared(t)
  const unknown: Asked[] = [
    { method: 'GET', url: '/' },
    { method: 'GET', url: '/v1' },
    { method: 'GET', url: '/v1/' },
    { method: 'GET', url: '/v2/status' },
    { method: 'GET', url: '/v1/status/' },
    { method: 'GET', url: '/v1/STATUS' },
    { method: 'POST', url: '/v1/status' },
    { method: 'GET', url: '/v1/accounts' },
    { method: 'GET', url: '/v1/sessions' },
    { method: 'GET', url: '/v1/contacts/friend' },
    { method: 'GET', url: '/v1/contacts//safety-number' },
    { method: 'POST', url: '/v1/contacts/friend/messages' },
    { method: 'GET', url: '/v1/messages/..%2f..' },
    { method: 'GET', url: `/v1/contacts/${'x'.repeat(600)}/messages` },
  ]
  for (const call of unknown) {
    const { status, json } = await ask({ ...call, token: anna.token })
    t.ok(status === 404 || status === 400 || status === 414, `${call.url}: ${status}`)
    t.match(json(), { error: { code: /^ABZU_(NOT_FOUND|INVALID_ARGUMENT)$/ } })
  }
  for (const method of ['PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'] as const) {
    const { status } = await ask({ method: method as 'GET', url: '/v1/status' })
    t.equal(status, 404, method)
  }
})

t.test('the errors of the services keep their codes', async (t) => {
  const { ask, anna } = await prepared(t)
  const { token } = anna
  const refused: readonly (readonly [Asked, number, string])[] = [
    [{ ...callOf('unlock'), body: { account: 'anna', password: 'x' } }, 403, 'ABZU_WRONG_PASSWORD'],
    [{ ...callOf('unlock'), body: { account: 'nobody', password: 'x' } }, 404, 'ABZU_NOT_FOUND'],
    [
      { ...callOf('createAccount'), body: { name: 'c', role: 'guest', password: 'x' } },
      403,
      'ABZU_DENIED',
    ],
    [
      { ...callOf('createAccount'), body: { name: 'anna', role: 'admin', password: 'x' } },
      409,
      'ABZU_ALREADY_EXISTS',
    ],
    [{ ...callOf('addContact'), body: { link: 'x', as: 'y' }, token }, 422, 'ABZU_LINK_INVALID'],
    [{ ...callOf('addPeer'), body: { address: 'x' }, token }, 422, 'ABZU_ADDRESS_INVALID'],
    [{ ...callOf('message'), url: '/v1/messages/99', token }, 404, 'ABZU_NOT_FOUND'],
    [{ method: 'GET', url: '/v1/contacts/who/messages', token }, 404, 'ABZU_NOT_FOUND'],
  ]
  for (const [call, status, code] of refused) {
    const answer = await ask(call)
    t.equal(answer.status, status, code)
    t.match(answer.json(), { error: { code } })
  }
})

t.test('a bug is told without detail, and logged with it', async (t) => {
  const { ask, anna, logged } = await prepared(t)
  anna.member.contacts.list = () => {
    throw new TypeError('secret detail of line 17')
  }
  const { status, text } = await ask({ ...callOf('contacts'), token: anna.token })
  t.equal(status, 500)
  t.match(JSON.parse(text), refusal('ABZU_INTERNAL'))
  t.notMatch(text, /secret detail/)
  t.ok(
    logged.some((line) => line.startsWith('api-request-failed') && line.includes('secret detail')),
  )
})

t.test('an answer is cut to its schema: what a service says too much stays inside', async (t) => {
  const { ask, anna } = await prepared(t)
  Object.assign(anna.member.received[0] ?? {}, { plaintextKey: 'too much' })
  anna.member.known.set(stranger, {
    ...anna.member.contacts.get('friend'),
    doorToken: 'too much',
  } as never)
  for (const name of ['inbox', 'contacts', 'blockContact'] as const) {
    const { text, status } = await ask({ ...callOf(name), token: anna.token })
    t.equal(status, 200)
    t.notMatch(text, /too much/, name)
  }
})

t.test('a password is one text in NFC, and its bytes are wiped', async (t) => {
  const { ask, services } = await prepared(t)
  const composed = { name: 'carla', role: 'admin', password: 'p\u00e4ss' }
  t.equal((await ask({ method: 'POST', url: '/v1/accounts', body: composed })).status, 200)
  const decomposed = { account: 'carla', password: 'pa\u0308ss' }
  t.equal((await ask({ method: 'POST', url: '/v1/sessions', body: decomposed })).status, 200)
  const wrong = { account: 'carla', password: 'pass' }
  t.equal((await ask({ method: 'POST', url: '/v1/sessions', body: wrong })).status, 403)
  t.ok(services.accounts.passwords.length >= 5)
  for (const password of services.accounts.passwords) t.ok(password.every((byte) => byte === 0))
})

t.test('the OpenAPI document has every route', async (t) => {
  const { ask } = await testApi(t)
  const { status, json } = await ask({ method: 'GET', url: '/v1/openapi.json' })
  t.equal(status, 200)
  const document = json() as {
    openapi: string
    paths: Record<string, Record<string, { operationId: string; security?: unknown }>>
  }
  t.match(document.openapi, /^3\.1/)
  for (const [name, { method, path, caller }] of all) {
    const operation = document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    t.equal(operation?.operationId, name)
    t.equal(operation?.security !== undefined, caller === 'member', `${name}: who may call`)
  }
})
