import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { apiLimits } from '../../../src/surface/api/api-limits.ts'
import { Sessions } from '../../../src/surface/api/sessions.ts'
import { refusal, sessionIdleMinutes, testApi } from '../../support/api.ts'
import { FakeMember, fakeId } from '../../support/fake-services.ts'
import { ManualTime } from '../../support/manual-time.ts'

const idleMs = 1000

/** Sessions over accounts that are all unlocked. */
function openSessions(_t: Test) {
  const members = new Map<string, FakeMember>()
  const time = new ManualTime()
  const accounts = { member: (id: string) => members.get(id) as FakeMember }
  const deps = { accounts, platform: nodePlatform(), clock: time }
  const sessions = new Sessions(deps, { idleMs })
  function unlock(number: number): FakeMember {
    const id = fakeId(number)
    const member = new FakeMember({ id, name: `person ${number}`, role: 'admin' })
    members.set(id, member)
    return member
  }
  return { sessions, time, unlock }
}

t.test('a session ends when nobody uses it, and slides while somebody does', async (t) => {
  const { sessions, time, unlock } = openSessions(t)
  const anna = unlock(1)
  const token = sessions.open(anna)
  for (let use = 0; use < 5; use++) {
    await time.advance(idleMs - 1)
    t.equal(sessions.member(token), anna)
  }
  await time.advance(idleMs)
  t.throws(() => sessions.member(token), { code: 'ABZU_SESSION_INVALID' })
})

t.test('the wall clock has no say', async (t) => {
  const { sessions, time, unlock } = openSessions(t)
  const token = sessions.open(unlock(1))
  time.jump(-1e12)
  t.ok(sessions.member(token))
  time.jump(2e12)
  t.ok(sessions.member(token))
})

t.test('expiry over the API', async (t) => {
  const { ask, anna, time } = await testApi(t)
  const call = { method: 'GET', url: '/v1/contacts', token: anna.token } as const
  t.equal((await ask(call)).status, 200)
  await time.advance(sessionIdleMinutes * 60_000 - 1)
  t.equal((await ask(call)).status, 200)
  await time.advance(sessionIdleMinutes * 60_000)
  const { status, json } = await ask(call)
  t.equal(status, 401)
  t.match(json(), refusal('ABZU_SESSION_INVALID'))
})

t.test('tokens are 32 random bytes, and each its own', async (t) => {
  const { sessions, unlock } = openSessions(t)
  const anna = unlock(1)
  const tokens = Array.from({ length: 16 }, () => sessions.open(anna))
  t.equal(new Set(tokens).size, tokens.length)
  for (const token of tokens) t.equal(Buffer.from(token, 'base64url').length, 32)
})

t.test('each token finds its own account among many', async (t) => {
  const { sessions, unlock } = openSessions(t)
  const opened = Array.from({ length: 20 }, (_, number) => {
    const member = unlock(number)
    return { member, token: sessions.open(member) }
  })
  for (const { member, token } of opened.toReversed()) t.equal(sessions.member(token), member)
})

t.test('one session more than an account may have ends its least recently used one', async (t) => {
  const { sessions, unlock } = openSessions(t)
  const other = unlock(2)
  const kept = sessions.open(other)
  const anna = unlock(1)
  const tokens = Array.from({ length: apiLimits.accountSessionsMax }, () => sessions.open(anna))
  const [first = '', second = ''] = tokens
  sessions.member(first)
  sessions.open(anna)
  t.throws(() => sessions.member(second), { code: 'ABZU_SESSION_INVALID' })
  t.equal(sessions.member(first), anna)
  t.equal(sessions.member(kept), other, "nobody else's")
})

t.test('all sessions together are bounded', async (t) => {
  const { sessions, unlock } = openSessions(t)
  const opened: string[] = []
  for (let number = 0; number < 31; number++) {
    const member = unlock(number)
    for (let session = 0; session < apiLimits.accountSessionsMax; session++) {
      opened.push(sessions.open(member))
    }
  }
  t.ok(opened.length > apiLimits.sessionsMax)
  let alive = 0
  for (const token of opened) {
    try {
      sessions.member(token)
      alive++
    } catch {
      // an ended one
    }
  }
  t.equal(alive, apiLimits.sessionsMax)
})

t.test('a session is of one unlocking', async (t) => {
  const { sessions, unlock } = openSessions(t)
  const token = sessions.open(unlock(1))
  const again = unlock(1)
  t.throws(() => sessions.member(token), { code: 'ABZU_SESSION_INVALID' })
  t.equal(sessions.member(sessions.open(again)), again)
})
