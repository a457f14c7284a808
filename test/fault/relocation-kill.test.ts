/** Moves and imports during which one of the two nodes is killed. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { isAbzuError } from '../../src/base/util/errors.ts'
import type { AbzuClient } from '../../src/surface/client/client.ts'
import {
  introduce,
  KillableDaemon,
  newAccount,
  password,
  readInbox,
  unlock,
} from '../support/killable.ts'

const moves = 4
const imports = 3
const filePassword = 'of the file'

interface Place {
  readonly name: string
  readonly daemon: KillableDaemon
}

/** Two paired nodes, at one of which the recipient lives, and whoever writes to it. */
async function open(t: Test) {
  const root = await mkdtemp(join(tmpdir(), 'abzu-move-'))
  const places = await Promise.all(
    ['one', 'other', 'far'].map(async (name) => ({
      name,
      daemon: new KillableDaemon(await mkdtemp(join(root, name))),
    })),
  )
  t.teardown(async () => {
    await Promise.all(places.map(async ({ daemon }) => daemon.kill()))
    await rm(root, { recursive: true, force: true })
  })
  const [one, other, far] = places as [Place, Place, Place]
  await Promise.all(places.map(async ({ daemon }) => daemon.start()))
  const { code } = await one.daemon.client.invitePeer({ name: 'other' })
  await other.daemon.client.acceptPeer({ code, name: 'one' })
  const recipient = await newAccount(one.daemon, 'recipient')
  const sender = await newAccount(far.daemon, 'sender')
  await introduce(sender, recipient)
  const sent = ['first']
  const send = async (text: string) => {
    await sender.send({ to: 'friend', text, waitMs: 0 })
    sent.push(text)
  }
  return { one, other, recipient, sent, send }
}

async function everythingOnce(t: Test, client: AbzuClient, sent: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if ((await readInbox(client)).size >= sent.length) break
    await pause(200)
  }
  const shown = await readInbox(client)
  t.same([...shown.keys()].toSorted(), [...sent].toSorted(), 'nothing is lost')
  const doubled = [...shown].filter(([, count]) => count > 1)
  t.same(doubled, [], 'and nothing doubled')
}

t.test(
  'I6, I28: an account that moves while a node is killed lives at one of the two, with all its mail',
  { timeout: 240_000 },
  async (t) => {
    const { one, other, send, sent, ...rest } = await open(t)
    let { recipient } = rest
    let [here, there] = [one, other]
    let cutOff = 0
    for (let move = 0; move < moves; move++) {
      const isCutOff = await killDuring(moved(recipient, there.name), {
        victim: move % 2 === 0 ? here.daemon : there.daemon,
        afterMs: (move * 300) / moves + Math.random() * 150,
        meanwhile: async () => send(`during ${move}`),
      })
      if (isCutOff) cutOff++
      const [home, ...others] = await livingHomes([here, there])
      t.equal(others.length, 0, `move ${move}: one home lives`)
      if (home?.place === here) await moved(home.client, there.name)
      recipient = home?.place === there ? home.client : await unlock(there.daemon)
      ;[here, there] = [there, here]
    }
    t.comment(`${cutOff} of ${moves} calls were cut off`)
    await everythingOnce(t, recipient, sent)
  },
)

t.test(
  'I6, I28: nor does an import that is killed leave anything half done',
  { timeout: 240_000 },
  async (t) => {
    const { one, other, send, sent, ...rest } = await open(t)
    let { recipient } = rest
    let [here, there] = [one, other]
    let cutOff = 0
    for (let n = 0; n < imports; n++) {
      const file = await exported(recipient)
      await send(`since the file ${n}`)
      const isCutOff = await killDuring(imported(there.daemon.client, file), {
        victim: there.daemon,
        afterMs: (n * 1500) / imports + Math.random() * 300,
        meanwhile: async () => send(`during ${n}`),
      })
      if (isCutOff) cutOff++
      // an import tells nobody before it is done: then the home that was left freezes
      const [home] = await onlyHome([here, there])
      if (home.place === here) await imported(there.daemon.client, file)
      const [now] = await onlyHome([here, there])
      t.equal(now.place, there, `import ${n}: it lives where it was brought to`)
      recipient = now.client
      ;[here, there] = [there, here]
    }
    t.comment(`${cutOff} of ${imports} calls were cut off`)
    await everythingOnce(t, recipient, sent)
  },
)

/** Whether `work` failed by it. */
async function killDuring(
  work: Promise<void>,
  init: { victim: KillableDaemon; afterMs: number; meanwhile: () => Promise<void> },
): Promise<boolean> {
  const { victim, afterMs, meanwhile } = init
  const ended = work.then(
    () => false,
    () => true,
  )
  await pause(afterMs)
  await victim.kill()
  await meanwhile()
  await victim.start()
  return ended
}

async function moved(client: AbzuClient, to: string): Promise<void> {
  for await (const line of client.moveAccount({ to })) {
    if ('moved' in line) return
  }
  throw new Error('cut off')
}

async function exported(client: AbzuClient): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of client.exportAccount({ password: filePassword })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function imported(client: AbzuClient, file: Uint8Array): Promise<void> {
  const upload = await client.beginUpload()
  const pieceBytes = 65_536
  for (let at = 0; at < file.length; at += pieceBytes) {
    await client.upload(upload, at, file.subarray(at, at + pieceBytes))
  }
  for await (const line of client.importAccount({ upload, password, filePassword })) {
    if ('imported' in line) return
  }
  throw new Error('cut off')
}

interface Home {
  readonly place: Place
  readonly client: AbzuClient
}

/** Where the account can be unlocked, once there is such a place. */
async function livingHomes(places: readonly Place[]): Promise<Home[]> {
  for (let tries = 0; tries < 100; tries++) {
    const homes = await Promise.all(
      places.map(async (place) =>
        unlock(place.daemon).then(
          (client): Home[] => [{ place, client }],
          (error: unknown) => {
            const isElsewhere =
              isAbzuError(error, 'ABZU_ACCOUNT_MOVED') || isAbzuError(error, 'ABZU_NOT_FOUND')
            if (isElsewhere) return []
            throw error
          },
        ),
      ),
    )
    if (homes.flat().length > 0) return homes.flat()
    await pause(200)
  }
  throw new Error('the account lives nowhere')
}

/** The same, once there is one alone. */
async function onlyHome(places: readonly Place[]): Promise<[Home]> {
  for (let tries = 0; tries < 100; tries++) {
    const [home, ...others] = await livingHomes(places)
    if (home && others.length === 0) return [home]
    await pause(200)
  }
  throw new Error('the account lives at two nodes')
}
