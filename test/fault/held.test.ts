/** A home that is killed and comes back at random, a friend who holds what comes meanwhile. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { AbzuClient } from '../../src/surface/client/client.ts'
import { introduce, KillableDaemon, newAccount, readInbox, unlock } from '../support/killable.ts'

const messages = 300
const parallel = 6

/** Resolves when `isSo` does, within a minute. */
async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 300) throw new Error(`never: ${what}`)
    await pause(200)
  }
}

async function send(from: AbzuClient, text: string): Promise<[string, string]> {
  const { msgId } = await from.send({ to: 'friend', text, waitMs: 3000 })
  return [msgId, text]
}

t.test(
  'I3, I6, I16: 300 messages while the home is killed: what was held or delivered is read once',
  { timeout: 240_000 },
  async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'abzu-held-'))
    const [home, friend, far] = (await Promise.all(
      ['home', 'friend', 'far'].map(
        async (name) => new KillableDaemon(await mkdtemp(join(root, name))),
      ),
    )) as [KillableDaemon, KillableDaemon, KillableDaemon]
    t.teardown(async () => {
      await Promise.all([home, friend, far].map(async (daemon) => daemon.kill()))
      await rm(root, { recursive: true, force: true })
    })
    await Promise.all([home, friend, far].map(async (daemon) => daemon.start()))
    const { code } = await home.client.invitePeer({ name: 'friend' })
    await friend.client.acceptPeer({ code, name: 'home' })
    const to = await newAccount(home, 'recipient')
    const from = await newAccount(far, 'sender')
    await introduce(from, to)
    await eventually('the friend holds a copy', async () =>
      (await friend.client.peerStatus()).some(
        ({ mailboxes, verifiedSecondsAgo }) => mailboxes.length > 0 && verifiedSecondsAgo !== null,
      ),
    )

    const done = new AbortController()
    let kills = 0
    const killing = (async () => {
      while (!done.signal.aborted) {
        await pause(300 + Math.random() * 1500)
        await home.kill()
        kills++
        await pause(Math.random() * 3000)
        await home.start()
        if (Math.random() < 0.5) await unlock(home)
      }
    })()
    const sent = new Map<string, string>()
    let next = 0
    const work = async () => {
      while (next < messages) {
        const [msgId, text] = await send(from, `message ${next++}`)
        sent.set(msgId, text)
        await pause(Math.random() * 300)
      }
    }
    await Promise.all(Array.from({ length: parallel }, work))
    done.abort()
    await killing

    let wasHeld = 0
    await eventually('everything is delivered', async () => {
      wasHeld = 0
      let isAll = true
      for (const id of sent.keys()) {
        const { state, history } = await from.message(id)
        if (history.some((step) => step.state === 'held')) wasHeld++
        isAll &&= state === 'delivered'
      }
      return isAll
    })
    const reader = await unlock(home)
    let shown = new Map<string, number>()
    await eventually('all is there', async () => {
      shown = await readInbox(reader)
      return [...sent.values()].every((text) => shown.has(text))
    }).catch(() => undefined)
    t.comment(JSON.stringify({ kills, sent: sent.size, wasHeld }))
    t.equal(sent.size, messages)
    t.strictSame(
      [...sent.values()].filter((text) => shown.get(text) !== 1),
      [],
      'each once',
    )
    t.ok(kills >= 3, 'the home was killed')
    t.ok(wasHeld >= 3, 'and the friend held some')
  },
)
