/** A stranger's first letter between two nodes on loopback: real streams, real hosts, stamps from a thread. */

import t, { type Test } from 'tap'
import { mailboxIdOf, rootKeyOf } from '../../src/base/crypto/address.ts'
import { NodeStampSearch } from '../../src/base/crypto/node-stamp-search.ts'
import { StampMill } from '../../src/base/crypto/stamp-mill.ts'
import { openStore } from '../../src/base/store/store.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import { deliverProtocol, recordProtocol } from '../../src/base/wire/protocols.ts'
import type { Host } from '../../src/base/wire/records.ts'
import { pool } from '../../src/machine/mailbox/admission.ts'
import { deliverHandler } from '../../src/machine/mailbox/deliver-handler.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import { Outbox } from '../../src/machine/mailbox/outbox.ts'
import { Directory, recordHandler } from '../../src/machine/node/directory.ts'
import { serveCalls } from '../../src/machine/transport/call.ts'
import { AccountManager } from '../../src/user/household/account-manager.ts'
import type { Member } from '../../src/user/household/member.ts'
import { collect, password, quickPlatform } from '../support/household.ts'
import { listening } from '../support/transports.ts'

const platform = quickPlatform()
const base = { platform, clock: systemClock, scheduler: systemScheduler, log: silentLog }

/** A node as compose builds one, in memory, which asks `known` for records where no host is named. */
async function node(t: Test, known: readonly Host[] = []) {
  const machineSeed = platform.random(32)
  const transport = await listening(t, { machineSeed })
  const store = await openStore({ dir: undefined, ...base })
  const limits = defaultMailboxLimits
  const mailboxes = new Mailboxes({ ...base, store, limits })
  const directory = new Directory({ ...base, transport, records: mailboxes })
  const outbox = new Outbox({ ...base, store, transport, mailboxes, limits })
  const stamps = new StampMill({ search: new NodeStampSearch(systemScheduler), ...base })
  const sign = (bytes: Uint8Array) => platform.ed25519.sign(machineSeed, bytes)
  const handler = deliverHandler({ mailboxes, sign, scheduler: systemScheduler })
  const neighbours = new Set<string | undefined>()
  transport.handle(deliverProtocol, async (stream) => {
    neighbours.add(stream.neighbour)
    return handler(stream)
  })
  const answer = recordHandler(mailboxes)
  serveCalls(transport, recordProtocol, { timeoutMs: 5000, scheduler: systemScheduler, answer })
  await outbox.start()
  const accounts = await AccountManager.open({
    ...base,
    rows: store.table('accounts'),
    hosting: mailboxes,
    post: outbox,
    directory: {
      home: () => directory.home(),
      resolve: async (mailbox, hosts) =>
        directory.resolve(mailbox, hosts.length > 0 ? hosts : known),
    },
    stamps,
  })
  t.teardown(async () => {
    await accounts.close()
    await stamps.close()
    await outbox.close()
    await store.close()
  })
  return { accounts, directory, store, neighbours }
}

async function delivered(member: Member, to: string, text: string): Promise<string> {
  const { msgId } = await member.messages.send({ to, text })
  return (await member.messages.settled(msgId, { timeoutMs: 20_000 })).state
}

t.test('from an address to a conversation, over loopback', async (t) => {
  const b = await node(t)
  const a = await node(t, [b.directory.home()])
  const { member: alice } = await a.accounts.create({ name: 'alice', role: 'admin', password })
  const { member: bob } = await b.accounts.create({ name: 'bob', role: 'admin', password })
  await b.accounts.lock('bob')
  const startMs = performance.now()
  await alice.contacts.add({ link: bob.id, as: 'bob' })
  t.equal(await delivered(alice, 'bob', 'you do not know me'), 'delivered')
  t.comment(`record, stamp and first letter: ${Math.round(performance.now() - startMs)} ms`)
  t.same([...b.neighbours], ['127.0.0.1'], 'the host knows the place for its rates')
  const usage = b.store.items.usage(mailboxIdOf(platform, rootKeyOf(bob.id)))
  t.equal(usage[pool.stranger]?.items, 1)

  const again = await b.accounts.unlock('bob', password)
  t.match(await collect(again.messages.inbox()), [{ text: 'you do not know me', request: true }])
  await again.contacts.add({ link: alice.id, as: 'alice' })
  t.equal(await delivered(again, 'alice', 'now I do'), 'delivered')
  t.match(await collect(alice.messages.inbox()), [{ text: 'now I do', request: false }])
  await again.contacts.letStrangersBe('refused')
  t.equal(await delivered(alice, 'bob', 'through a door'), 'delivered')
  const { member: carol } = await a.accounts.create({ name: 'carol', role: 'admin', password })
  await t.rejects(carol.contacts.add({ link: bob.id, as: 'bob' }), {
    code: 'ABZU_STRANGERS_REFUSED',
  })
})
