/** A stranger's first letter between two nodes on loopback: real streams, real hosts, stamps from a thread. */

import t, { type Test } from 'tap'
import { mailboxIdOf, rootKeyOf } from '../../src/base/crypto/address.ts'
import { NodeStampSearch } from '../../src/base/crypto/node-stamp-search.ts'
import { StampMill } from '../../src/base/crypto/stamp-mill.ts'
import { equalBytes } from '../../src/base/util/bytes.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import { deliverProtocol } from '../../src/base/wire/protocols.ts'
import { limitPorts } from '../../src/compose/limits.ts'
import { Carriage } from '../../src/machine/mailbox/carriage.ts'
import { pool } from '../../src/machine/mailbox/admission.ts'
import { deliverHandler } from '../../src/machine/mailbox/deliver-handler.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Outbox } from '../../src/machine/mailbox/outbox.ts'
import { AccountManager } from '../../src/user/household/account-manager.ts'
import type { Member } from '../../src/user/household/member.ts'
import { collect, password, quickPlatform } from '../support/household.ts'
import { MeshNode, holders, known } from '../support/mesh-node.ts'
import { until } from '../support/transports.ts'
import { unpaired } from '../support/memory-moving.ts'
import { noRestore } from '../support/memory-restore.ts'

const platform = quickPlatform()
const base = { platform, clock: systemClock, scheduler: systemScheduler, log: silentLog }

/** A node of the mesh with accounts, as compose builds one, in memory. */
async function node(t: Test) {
  const machine = await MeshNode.start(t)
  const { store, transport, mailboxes, directory } = machine
  const outbox = new Outbox({ ...base, store, transport, mailboxes, limits: defaultMailboxLimits })
  const stamps = new StampMill({ search: new NodeStampSearch(systemScheduler), ...base })
  const { sign } = machine
  const handler = deliverHandler({ mailboxes, sign, scheduler: systemScheduler })
  const neighbours = new Set<string | undefined>()
  transport.handle(deliverProtocol, async (stream) => {
    neighbours.add(stream.neighbour)
    return handler(stream)
  })
  await outbox.start()
  const accounts = await AccountManager.open({
    ...base,
    tables: store,
    hosting: mailboxes,
    post: outbox,
    directory,
    restoring: noRestore,
    moving: unpaired,
    carriage: new Carriage({ ...base, items: store.items, mailboxes }),
    stamps,
    ...limitPorts({ items: store.items, mailboxes, outbox }),
  })
  t.teardown(async () => {
    await accounts.close()
    await stamps.close()
    await outbox.close()
  })
  return { accounts, machine, store, neighbours }
}

async function delivered(member: Member, to: string, text: string): Promise<string> {
  const { msgId } = await member.messages.send({ to, text })
  return (await member.messages.settled(msgId, { timeoutMs: 20_000 })).state
}

t.test('from an address to a conversation, over loopback', async (t) => {
  const [a, b] = [await node(t), await node(t)]
  await a.machine.meet(b.machine)
  await known([a.machine, b.machine], 1)
  const { member: alice } = await a.accounts.create({ name: 'alice', role: 'admin', password })
  const { member: bob } = await b.accounts.create({ name: 'bob', role: 'admin', password })
  await b.accounts.lock('bob')
  const bobs = mailboxIdOf(platform, rootKeyOf(bob.id))
  await until(() => holders([a.machine], bobs) === 1, 'the record of bob in the mesh')
  const startMs = performance.now()
  await alice.contacts.add({ link: bob.id, as: 'bob' })
  t.equal(await delivered(alice, 'bob', 'you do not know me'), 'delivered')
  t.comment(`record, stamp and first letter: ${Math.round(performance.now() - startMs)} ms`)
  t.same([...b.neighbours], ['127.0.0.1'], 'the host knows the place for its rates')
  const usage = b.store.items.usage(bobs)
  t.equal(usage[pool.stranger]?.items, 1)

  const again = await b.accounts.unlock('bob', password)
  t.match(await collect(again.messages.inbox()), [{ text: 'you do not know me', request: true }])
  await again.contacts.add({ link: alice.id, as: 'alice' })
  t.equal(await delivered(again, 'alice', 'now I do'), 'delivered')
  t.match(await collect(alice.messages.inbox()), [{ text: 'now I do', request: false }])
  const before = a.machine.held.get(bobs)
  await again.contacts.letStrangersBe('refused')
  const isNew = () =>
    !equalBytes(a.machine.held.get(bobs) ?? new Uint8Array(), before ?? new Uint8Array())
  await until(isNew, 'the new record of bob in the mesh')
  t.equal(await delivered(alice, 'bob', 'through a door'), 'delivered')
  const { member: carol } = await a.accounts.create({ name: 'carol', role: 'admin', password })
  await t.rejects(carol.contacts.add({ link: bob.id, as: 'bob' }), {
    code: 'ABZU_STRANGERS_REFUSED',
  })
})
