/** A letter over loopback, whose home is off: three machines with real transports, real stores and real time. */

import t, { type Test } from 'tap'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { toHex } from '../../src/base/util/bytes.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import { deliverProtocol } from '../../src/base/wire/protocols.ts'
import type { Host } from '../../src/base/wire/records.ts'
import { deliverHandler } from '../../src/machine/mailbox/deliver-handler.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Outbox } from '../../src/machine/mailbox/outbox.ts'
import { quickPlatform } from '../support/household.ts'
import { MailboxOwner } from '../support/mailbox-owner.ts'
import { MeshNode } from '../support/mesh-node.ts'
import { until } from '../support/transports.ts'

const platform = quickPlatform()
const base = { platform, clock: systemClock, scheduler: systemScheduler, log: silentLog }
const sender = new Uint8Array(32).fill(7) as MailboxId

function serve({ transport, mailboxes, sign }: MeshNode): void {
  transport.handle(deliverProtocol, deliverHandler({ mailboxes, sign, scheduler: systemScheduler }))
}

async function outboxOf(t: Test, { store, transport, mailboxes }: MeshNode): Promise<Outbox> {
  const outbox = new Outbox({ ...base, store, transport, mailboxes, limits: defaultMailboxLimits })
  await outbox.start()
  t.teardown(async () => outbox.close())
  return outbox
}

t.test(
  'home off: held by a holder within seconds; home back: delivered, and there once',
  async (t) => {
    const origin = await MeshNode.start(t)
    const home = await MeshNode.start(t)
    const holder = await MeshNode.start(t)
    serve(home)
    serve(holder)
    const outbox = await outboxOf(t, origin)
    const replica: Host = { ...holder.directory.home(), role: 'replica' }
    const owner = new MailboxOwner({
      platform,
      nowMs: systemClock.nowMs(),
      home: home.directory.home(),
      holders: [replica],
    })
    const door = owner.door()
    const slots = [owner.identity(), owner.record(), door.slot]
    for (const { mailboxes } of [home, holder]) await mailboxes.host(owner.rootPk, slots)
    const post = async (): Promise<string> => {
      const { mailbox, ...letter } = await owner.letter(door)
      const to = { from: sender, to: mailbox as MailboxId, hosts: owner.hosts }
      return toHex(await outbox.post({ ...to, ...letter }))
    }
    const told = async (): Promise<string[]> =>
      (await outbox.outcomes(sender)).map(({ id, state, by }) => `${toHex(id)} ${state} ${by}`)
    const isTold = async (count: number, what: string): Promise<void> => {
      let length = 0
      await until(() => {
        void told().then((all) => (length = all.length))
        return length >= count
      }, what)
    }
    const mail = async ({ mailboxes }: MeshNode): Promise<string[]> =>
      (await mailboxes.mailbox(owner.mailbox).mail({ limit: 10 })).items.map(({ id }) => toHex(id))

    const first = await post()
    await isTold(1, 'a receipt of the home')
    t.strictSame(await told(), [`${first} delivered ${home.peerId}`])
    t.strictSame(await mail(holder), [], 'the holder was not bothered')

    await home.stop()
    const startMs = performance.now()
    const second = await post()
    await isTold(2, 'a receipt of the holder')
    t.comment(`held after ${Math.round(performance.now() - startMs)} ms`)
    t.equal((await told())[1], `${second} held ${holder.peerId}`)
    t.strictSame(await mail(holder), [second])

    await home.start()
    serve(home)
    await isTold(3, 'a receipt of the home that is back')
    t.equal((await told())[2], `${second} delivered ${home.peerId}`)
    t.strictSame(await mail(home), [first, second])
  },
)
