/** A mailbox whose account was deleted at its home is not brought back there by those who have copies. */

import t from 'tap'
import { parsePlainSlot } from '../../../src/base/wire/plain-slot.ts'
import { LeftMailboxes } from '../../../src/machine/mailbox/left-mailboxes.ts'
import { MailboxOwner } from '../../support/mailbox-owner.ts'
import { heldCopy, platform } from '../../support/sync-house.ts'

t.test('a home that was left takes no copy, connected or anew', async (t) => {
  const { time, home, friend, network, rest } = await heldCopy(t)
  const hosts = { home: home.as('home'), holders: [friend.as('replica')] }
  const owner = new MailboxOwner({ platform, nowMs: time.nowMs(), ...hosts })
  const { mailbox } = owner
  const introduction = [owner.identity(), owner.record()]
  await friend.mailboxes.host(owner.rootPk, introduction)
  await rest()
  t.ok(home.mailboxes.rootOf(mailbox), 'what a home has lost comes back')
  await home.mailboxes.leave(mailbox)
  for (let n = 0; n < 2; n++) {
    await rest()
    t.equal(home.mailboxes.rootOf(mailbox), undefined)
    network.disconnect(home, friend)
    await rest()
    network.connect(home, friend)
  }
  t.ok(friend.mailboxes.rootOf(mailbox))
  await home.mailboxes.host(owner.rootPk, introduction)
  t.notOk(home.mailboxes.left.has(mailbox, undefined), 'whoever comes back is welcome')
})

t.test('which record brings it back', async (t) => {
  const { home, friend, mailbox, sign, owner } = await heldCopy(t)
  const left = new LeftMailboxes({ platform, table: home.store.table('left-mailboxes') })
  const recordOf = (hosts: typeof owner.hosts) => {
    owner.hosts = hosts
    return parsePlainSlot(owner.record().body).content
  }
  const old = await home.mailboxes.record(mailbox)
  const last = await sign([home.as('home')])
  t.notOk(left.has(mailbox, last), 'nobody has left')
  await left.note(mailbox, last)
  await left.note(mailbox, undefined)
  t.ok(left.has(mailbox, undefined))
  t.ok(left.has(mailbox, old), 'none that is older')
  t.ok(left.has(mailbox, last), 'nor the one that was known')
  t.ok(left.has(mailbox, recordOf([])), 'nor one by which it lives nowhere')
  t.notOk(left.has(mailbox, recordOf([friend.as('home'), home.as('replica')])))
  t.equal(left.returning(mailbox).length, 1)
  t.same(left.returning(friend.store.epoch as typeof mailbox), [])
})
