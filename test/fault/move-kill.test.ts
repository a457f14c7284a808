/** Moves during which one of the two nodes is killed. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { isAbzuError } from '../../src/base/util/errors.ts'
import type { AbzuClient } from '../../src/surface/client/client.ts'
import { introduce, KillableDaemon, newAccount, readInbox, unlock } from '../support/killable.ts'

const moves = 6

interface Place {
  readonly name: string
  readonly daemon: KillableDaemon
}

t.test(
  'I6, I13: an account that moves while a node is killed lives at one of the two, with all its mail',
  { timeout: 240_000 },
  async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'abzu-move-'))
    const names = ['one', 'other', 'far']
    const daemons = await Promise.all(
      names.map(async (name) => new KillableDaemon(await mkdtemp(join(root, name)))),
    )
    const [one, other, far] = daemons as [KillableDaemon, KillableDaemon, KillableDaemon]
    t.teardown(async () => {
      await Promise.all(daemons.map(async (daemon) => daemon.kill()))
      await rm(root, { recursive: true, force: true })
    })
    await Promise.all(daemons.map(async (daemon) => daemon.start()))
    const { code } = await one.client.invitePeer({ name: 'other' })
    await other.client.acceptPeer({ code, name: 'one' })
    let recipient = await newAccount(one, 'recipient')
    const sender = await newAccount(far, 'sender')
    await introduce(sender, recipient)

    let here: Place = { name: 'one', daemon: one }
    let there: Place = { name: 'other', daemon: other }
    const sent = ['first']
    const send = async (text: string) => {
      await sender.send({ to: 'friend', text, waitMs: 0 })
      sent.push(text)
    }
    let cutOff = 0
    for (let move = 0; move < moves; move++) {
      await send(`before ${move}`)
      const victim = move % 2 === 0 ? here.daemon : there.daemon
      const moving = drained(recipient, there.name).catch((error: unknown) => error)
      await pause((move * 300) / moves + Math.random() * 150)
      await victim.kill()
      await send(`during ${move}`)
      await victim.start()
      if ((await moving) !== undefined) cutOff++
      const home = await livingHome([here, there])
      t.equal(home.others, 0, `move ${move}: one home lives`)
      if (home.place === here) await drained(home.client, there.name)
      ;[here, there] = [there, here]
      recipient = home.place === here ? home.client : await unlock(here.daemon)
    }
    t.comment(`${cutOff} of ${moves} calls were cut off`)
    for (let tries = 0; tries < 300; tries++) {
      if ((await readInbox(recipient)).size >= sent.length) break
      await pause(200)
    }
    const shown = await readInbox(recipient)
    t.same([...shown.keys()].toSorted(), sent.toSorted(), 'nothing is lost')
    t.same(
      [...shown].filter(([, count]) => count > 1),
      [],
      'and nothing doubled',
    )
  },
)

async function drained(client: AbzuClient, to: string): Promise<void> {
  for await (const line of client.moveAccount({ to })) {
    if ('moved' in line) return
  }
  throw new Error('cut off')
}

/** Where the account can be unlocked, once that is so; and at how many of the other places. */
async function livingHome(places: readonly Place[]) {
  for (let tries = 0; ; tries++) {
    const clients = await Promise.all(
      places.map(async ({ daemon }) =>
        unlock(daemon).catch((error: unknown) => {
          if (isAbzuError(error, 'ABZU_ACCOUNT_MOVED') || isAbzuError(error, 'ABZU_NOT_FOUND')) {
            return undefined
          }
          throw error
        }),
      ),
    )
    const n = clients.findIndex((client) => client !== undefined)
    if (n >= 0) {
      const others = clients.filter((client) => client !== undefined).length - 1
      return { place: places[n] as Place, client: clients[n] as AbzuClient, others }
    }
    if (tries > 100) throw new Error('the account lives nowhere')
    await pause(200)
  }
}
