import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { homePaths, loadConfig, type StartFlags } from '../src/config.ts'
import { tempHome } from './support/temp-home.ts'

const peerId = `12D3KooW${'A'.repeat(44)}`
const address = `/ip4/127.0.0.1/tcp/4180/p2p/${peerId}`

/** A home whose `config.json` holds `content`. */
function home(t: Test, content?: unknown): { ABZU_HOME: string } {
  const env = tempHome(t)
  if (content !== undefined) {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(join(env.ABZU_HOME, 'config.json'), text)
  }
  return env
}

t.test('nothing said: the defaults, frozen to the depth', async (t) => {
  const config = await loadConfig({ flags: {}, env: home(t) })
  t.match(config, { tcp: ['0.0.0.0:4180'], quic: ['0.0.0.0:4180'], peers: [] })
  t.match(config, { logLevel: 'info', logJson: false })
  t.ok(Object.isFrozen(config))
  t.ok(Object.isFrozen(config.tcp))
  t.ok(Object.isFrozen(config.limits))
  t.equal(config.socket, join(config.home, 'api.sock'))
  t.equal(config.limits.sessionIdleMinutes, 1440)
})

t.test('a flag replaces the listeners of the file, and adds to its peers', async (t) => {
  const other = address.replace('4180', '4181')
  const env = home(t, { tcp: ['127.0.0.1:1'], peers: [address], logLevel: 'debug' })
  const flags = { tcp: ['[::1]:0', '127.0.0.1:0'], peers: [other, address], logJson: true }
  t.match(await loadConfig({ flags, env }), {
    tcp: ['[::1]:0', '127.0.0.1:0'],
    peers: [address, other],
    logLevel: 'debug',
    logJson: true,
  })
})

t.test('who names a listener of either kind names all', async (t) => {
  const [one, two] = [['127.0.0.1:1'], ['127.0.0.1:2']]
  const said: readonly (readonly [
    file: object,
    flags: StartFlags,
    tcp: string[],
    quic: string[],
  ])[] = [
    [{ tcp: one }, {}, one, []],
    [{ quic: one }, {}, [], one],
    [{ tcp: one, quic: two }, {}, one, two],
    [{}, { tcp: one }, one, []],
    [{}, { quic: one }, [], one],
    [{ tcp: one, quic: one }, { tcp: two }, two, []],
    [{ tcp: one }, { tcp: two, quic: one }, two, one],
  ]
  for (const [file, flags, tcp, quic] of said) {
    const config = await loadConfig({ flags, env: home(t, file) })
    t.strictSame([config.tcp, config.quic], [tcp, quic])
  }
})

t.test('how others are found: what is set, and what a flag switches off', async (t) => {
  const found = { bootstrap: [address], announce: ['/dns4/home.example/tcp/4180'] }
  t.match(await loadConfig({ flags: {}, env: home(t) }), { lan: true, bootstrap: [], announce: [] })
  t.match(await loadConfig({ flags: {}, env: home(t, found) }), { ...found, lan: true })
  t.match(await loadConfig({ flags: { lan: false }, env: home(t, { lan: true }) }), { lan: false })
  t.match(await loadConfig({ flags: {}, env: home(t, { lan: false }) }), { lan: false })
})

t.test('what is unknown or absurd is refused by its name', async (t) => {
  const refused: readonly (readonly [name: string, content: unknown, flags?: StartFlags])[] = [
    ['colour', { colour: 'red' }],
    ['limits', { limits: { colour: 1 } }],
    ['limits.sessionIdleMinutes', { limits: { sessionIdleMinutes: 0 } }],
    ['limits.sessionIdleMinutes', { limits: { sessionIdleMinutes: 1e9 } }],
    ['limits.sessionIdleMinutes', { limits: { sessionIdleMinutes: '5' } }],
    ['limits', { limits: null }],
    ['tcp', { tcp: [] }],
    ['tcp', { tcp: '127.0.0.1:4180' }],
    ['tcp', { tcp: Array.from({ length: 9 }, (_, port) => `127.0.0.1:${port}`) }],
    ['tcp.0', { tcp: ['localhost:4180'] }],
    ['tcp.0', { tcp: ['127.0.0.1:65536'] }],
    ['tcp.0', { tcp: ['127.0.0.1'] }],
    ['tcp.0', { tcp: ['::1:80'] }],
    ['tcp.0', { tcp: ['[127.0.0.1]:80'] }],
    ['tcp.0', { tcp: ['127.0.0.1:80 '] }],
    ['tcp.0', {}, { tcp: ['nonsense'] }],
    ['quic', { quic: [] }],
    ['quic.0', {}, { quic: ['nonsense'] }],
    ['peers.0', { peers: ['/ip4/127.0.0.1/tcp/1'] }],
    ['peers', { peers: Array.from({ length: 65 }, () => address) }],
    ['bootstrap.0', { bootstrap: ['/ip4/127.0.0.1/tcp/1'] }],
    ['bootstrap', { bootstrap: Array.from({ length: 17 }, () => address) }],
    ['announce.0', { announce: [address] }],
    ['announce.0', { announce: ['192.0.2.1:4180'] }],
    ['announce.0', { announce: ['/ip4/192.0.2.1/tcp/0'] }],
    ['announce.0', { announce: ['/ip4/192.0.2.1/udp/4180'] }],
    ['announce.0', { announce: [`/dns4/${'a'.repeat(300)}/tcp/1`] }],
    ['announce', { announce: Array.from({ length: 9 }, (_, n) => `/ip4/192.0.2.${n}/tcp/1`) }],
    ['lan', { lan: 'off' }],
    ['logLevel', { logLevel: 'loud' }],
    ['nodeName', { nodeName: '' }],
    ['nodeName', { nodeName: 'x'.repeat(129) }],
    ['expected object', []],
    ['expected object', 'null'],
    ['not JSON', '{"tcp":'],
    ['larger', ' '.repeat(64 * 1024 + 1)],
    ['__proto__', '{"__proto__":{"tcp":["127.0.0.1:1"]}}'],
  ]
  for (const [name, content, flags = {}] of refused) {
    await t.test(name, async (t) => {
      const error = { code: 'ABZU_CONFIG_INVALID', message: new RegExp(name.replace('.', '\\.')) }
      await t.rejects(loadConfig({ flags, env: home(t, content) }), error)
    })
  }
})

t.test('a peer of the command line is an address, or a bad one', async (t) => {
  for (const peer of ['nonsense', '/ip4/1.2.3.4/tcp/1', `${address}/x`, `/${'a'.repeat(300)}`]) {
    const error = { code: 'ABZU_ADDRESS_INVALID' }
    await t.rejects(loadConfig({ flags: { peers: [peer] }, env: home(t) }), error)
  }
})

t.test('a file that cannot be read is no missing file', async (t) => {
  const env = home(t)
  mkdirSync(join(env.ABZU_HOME, 'config.json'))
  await t.rejects(loadConfig({ flags: {}, env }), { code: 'ABZU_IO' })
})

t.test('the home is absolute, and short enough for a socket', async (t) => {
  t.equal(homePaths({ ABZU_HOME: 'some/where' }).home, join(process.cwd(), 'some/where'))
  t.equal(homePaths({ ABZU_HOME: '' }).home, join(homedir(), '.abzu'))
  t.equal(homePaths({}).home, join(homedir(), '.abzu'))
  const fits = `/${'h'.repeat(107 - '/api.sock'.length - 1)}`
  t.equal(Buffer.byteLength(homePaths({ ABZU_HOME: fits }).socket), 107)
  t.throws(() => homePaths({ ABZU_HOME: `${fits}x` }), { code: 'ABZU_CONFIG_INVALID' })
  t.throws(() => homePaths({ ABZU_HOME: fits.replace('hh', 'hö') }), {
    code: 'ABZU_CONFIG_INVALID',
  })
})
