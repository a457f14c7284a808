import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { abzu, spawnAbzu } from '../../support/cli.ts'
import { tempHome } from '../../support/temp-home.ts'

const loopback = ['start', '--tcp', '127.0.0.1:0', '--no-lan']

interface Ready {
  readonly event: string
  readonly peerId: string
  readonly addresses: readonly string[]
  readonly pid: number
}

/** A real daemon in a process of its own, once it said that it listens. */
async function daemon(t: Test, env = tempHome(t), args = loopback) {
  const { child, ended } = spawnAbzu(env, [...args, '--log-json'])
  t.teardown(() => child.kill('SIGKILL'))
  const first = Promise.withResolvers<string>()
  if (child.stdout) createInterface(child.stdout).once('line', first.resolve)
  const line = await Promise.race([first.promise, ended.then(({ stderr }) => stderr)])
  return { env, child, ended, ready: JSON.parse(line) as Ready }
}

t.test('the first line says that it listens, and stop ends it', async (t) => {
  const { env, ended, ready } = await daemon(t)
  t.strictSame(Object.keys(ready), ['event', 'peerId', 'addresses', 'pid'])
  t.match(ready, {
    event: 'ready',
    peerId: /^12D3Koo/,
    addresses: [/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\//],
  })
  const status = await abzu(env, ['status', '--json'])
  const { peerId, addresses, pid } = ready
  t.match(JSON.parse(status.stdout), { peerId, addresses: [...addresses], pid })
  t.equal((await abzu(env, ['stop'])).code, 0)
  const { code, stdout, stderr } = await ended
  t.equal(code, 0)
  t.equal(stdout.trimEnd().split('\n').length, 1)
  for (const line of stderr.split('\n')) if (line !== '') t.ok(JSON.parse(line))
  t.notOk(existsSync(join(env.ABZU_HOME, 'api.sock')))
})

t.test('it comes back where it was', async (t) => {
  const env = tempHome(t)
  const first = await daemon(t, env)
  first.child.kill('SIGTERM')
  t.equal((await first.ended).code, 0)
  const second = await daemon(t, env)
  t.strictSame(second.ready.addresses, first.ready.addresses)
  second.child.kill('SIGINT')
  t.equal((await second.ended).code, 0)
})

t.test('by QUIC as well, at the same ports after a restart; a taken one is refused', async (t) => {
  const env = tempHome(t)
  const args = [...loopback, '--quic', '127.0.0.1:0']
  const first = await daemon(t, env, args)
  t.match(first.ready.addresses, [/\/tcp\/\d+\/p2p\//, /\/udp\/\d+\/quic-v1\/p2p\//])
  const status = await abzu(env, ['status', '--json'])
  t.strictSame(JSON.parse(status.stdout).addresses, first.ready.addresses)
  const port = first.ready.addresses[1]?.split('/')[4]
  const other = ['start', '--quic', `127.0.0.1:${port}`, '--json']
  t.equal((await spawnAbzu(tempHome(t), other).ended).code, 76)
  first.child.kill('SIGTERM')
  t.equal((await first.ended).code, 0)
  const second = await daemon(t, env, args)
  t.strictSame(second.ready.addresses, first.ready.addresses)
  second.child.kill('SIGTERM')
  t.equal((await second.ended).code, 0)
})

t.test('a machine without QUIC says so, and runs on TCP', async (t) => {
  const env = { ...tempHome(t), NAPI_RS_NATIVE_LIBRARY_PATH: '/nonexistent' }
  const { ready, ended } = await daemon(t, env, [...loopback, '--quic', '127.0.0.1:0'])
  t.match(ready.addresses, [/\/tcp\//])
  t.equal(ready.addresses.length, 1)
  await abzu(env, ['stop'])
  t.match((await ended).stderr, /no QUIC on this machine/)
})

t.test('for people: the mesh address, the listeners and what to do next', async (t) => {
  const env = tempHome(t)
  const { ended } = spawnAbzu(env, loopback)
  t.equal((await abzu(env, ['status', '--wait', '20'])).code, 0)
  t.equal((await abzu(env, ['stop'])).code, 0)
  const { stdout } = await ended
  t.match(stdout, /mesh address 12D3Koo/)
  t.match(stdout, /listening on \/ip4\/127\.0\.0\.1\/tcp\/\d+/)
  t.match(stdout, /LAN discovery off/)
  t.match(stdout, /abzu account create/)
})

t.test('a second daemon on the home, a taken port, an open home', async (t) => {
  const { env } = await daemon(t)
  const second = await spawnAbzu(env, [...loopback, '--json']).ended
  t.equal(second.code, 73)
  t.match(JSON.parse(second.stderr), { error: { code: 'ABZU_HOME_IN_USE' } })

  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const args = ['start', '--tcp', `127.0.0.1:${port}`, '--json']
  const refused = await spawnAbzu(tempHome(t), args).ended
  t.equal(refused.code, 76)
  t.match(JSON.parse(refused.stderr.trimEnd().split('\n').at(-1) ?? ''), {
    error: { code: 'ABZU_PORT_IN_USE' },
  })

  const open = tempHome(t)
  // An empty one would be made private instead.
  writeFileSync(join(open.ABZU_HOME, 'config.json'), '{}')
  chmodSync(open.ABZU_HOME, 0o777)
  t.equal((await spawnAbzu(open, loopback).ended).code, 77)
})

t.test('the whole home is for its owner only, and no log or file shows the password', async (t) => {
  const { env, ended } = await daemon(t)
  const password = 'c4nary-passw0rd'
  const { child, ended: made } = spawnAbzu(
    env,
    ['account', 'create', 'anna', '--password-fd', '0', '--json'],
    {
      stdio: 'pipe',
    },
  )
  child.stdin?.end(password)
  const { words } = JSON.parse((await made).stdout) as { words: string[] }
  t.equal(words.length, 24)
  let files = 0
  for (const entry of readdirSync(env.ABZU_HOME, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    t.equal(statSync(path).mode & 0o077, 0, `${entry.name} is for its owner only`)
    if (!entry.isFile()) continue
    files++
    const bytes = readFileSync(path, 'latin1')
    t.notOk(bytes.includes(password), `${entry.name} holds no password`)
    t.notOk(bytes.includes(words.slice(0, 3).join(' ')), `${entry.name} holds no words`)
  }
  t.ok(files > 3)
  await abzu(env, ['stop'])
  const { stdout, stderr } = await ended
  t.notOk(`${stdout}${stderr}`.includes(password))
})
