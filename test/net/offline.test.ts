/** Daemons in a network namespace of their own: nothing but what a test puts there. */

import { spawn, spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { abzu, bin } from '../support/cli.ts'
import { tempHome } from '../support/temp-home.ts'

type Home = ReturnType<typeof tempHome>

const canUnshare = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0
const noNamespace = 'this machine gives no network namespace'

/** Runs a daemon for each home after `prepare`, all in one new namespace; their stderr is kept. */
function daemons(t: Test, { homes, prepare }: { homes: readonly Home[]; prepare: string }) {
  const start = homes.map(
    ({ ABZU_HOME }) =>
      `ABZU_HOME='${ABZU_HOME}' '${process.execPath}' '${bin}' start --tcp 127.0.0.1:0 >/dev/null &`,
  )
  const script = [prepare, ...start, 'wait'].join('\n')
  const child = spawn('unshare', ['-n', 'sh', '-c', script], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said = { stderr: '' }
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  t.teardown(() => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch {
      // all of them have ended
    }
  })
  return said
}

async function status(home: Home) {
  const { code, stdout, stderr } = await abzu(home, ['status', '--wait', '30', '--json'])
  if (code !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as {
    readonly peerId: string
    readonly addresses: readonly string[]
    readonly peers: readonly { readonly peerId: string; readonly kept: boolean }[]
    readonly reachability: { readonly lan: boolean }
  }
}

t.test('without any network a node starts, says so, and starts again', async (t) => {
  if (!canUnshare) return t.plan(0, noNamespace)
  const prepare = 'ip link set lo up'
  const home = tempHome(t)
  const said = daemons(t, { homes: [home], prepare })
  const first = await status(home)
  t.ok(first.reachability.lan)
  t.strictSame(first.peers, [])
  t.equal((await abzu(home, ['stop'])).code, 0)
  const again = daemons(t, { homes: [home], prepare })
  t.same((await status(home)).addresses, first.addresses)
  t.equal((await abzu(home, ['stop'])).code, 0)
  t.notMatch(`${said.stderr}${again.stderr}`, /ERROR|WARN|ENETUNREACH/)
})

t.test('two nodes on one network know each other without being told', async (t) => {
  if (!canUnshare) return t.plan(0, noNamespace)
  const homes = [tempHome(t), tempHome(t)]
  daemons(t, { homes, prepare: 'ip link set lo up' })
  const [a, b] = await Promise.all(homes.map(status))
  for (let tries = 0; tries < 600; tries++) {
    const { peers } = await status(homes[0] as Home)
    if (peers.length > 0) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  for (const [home, other] of [
    [homes[0], b],
    [homes[1], a],
  ] as const) {
    const { peers } = await status(home as Home)
    t.ok(peers.length > 0)
    // one connection more where both dialled at once
    for (const peer of peers) t.match(peer, { peerId: other?.peerId, kept: false })
  }
  for (const home of homes) t.equal((await abzu(home, ['stop'])).code, 0)
})
