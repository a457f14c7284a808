import t from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { MailboxId } from '../../../src/base/util/brand.ts'
import type { Metric } from '../../../src/base/util/metric.ts'
import { mailboxMetrics } from '../../../src/machine/mailbox/mailbox-metrics.ts'
import { MailboxOwner } from '../../support/mailbox-owner.ts'
import { MailNetwork, MailNode } from '../../support/mail-node.ts'
import { ManualTime } from '../../support/manual-time.ts'

const platform = nodePlatform()
const sender = new Uint8Array(32).fill(7) as MailboxId

/** Name and labels to value. */
function flat(metrics: readonly Metric[]): Record<string, number> {
  return Object.fromEntries(
    metrics.flatMap(({ name, samples }) =>
      samples.map(({ labels = {}, value }) => [[name, ...Object.values(labels)].join(' '), value]),
    ),
  )
}

t.test('what is delivered, refused, waiting and stored is counted', async (t) => {
  const time = new ManualTime()
  const network = new MailNetwork()
  const limits = { accountInbound: { perSecond: 0.001, burst: 3 } }
  const outbound = { accountOutbound: { perSecond: 0.001, burst: 5 } }
  const origin = await new MailNode(network, { platform, time, limits: outbound }).start()
  const home = await new MailNode(network, { platform, time, limits }).start()
  t.teardown(async () => {
    await Promise.all([origin.stop(), home.stop()])
    await Promise.all([origin.store.close(), home.store.close()])
  })
  const owner = new MailboxOwner({ platform, nowMs: time.nowMs(), home: home.home })
  const mailbox = await home.mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
  const door = owner.door()
  await mailbox.putSlots([door.slot])
  const post = async () => {
    const { mailbox: to, ...rest } = await owner.letter(door)
    return origin.outbox.post({ from: sender, to: to as MailboxId, hosts: [home.home], ...rest })
  }
  for (let n = 0; n < 5; n++) await post()
  await t.rejects(post(), { code: 'ABZU_RATE_LIMITED' })
  await time.advance(500)

  const sent = flat(await mailboxMetrics(origin)())
  t.match(sent, {
    'deliveries_out_total delivered': 3,
    'rate_limit_refusals_total post': 1,
    outbox_letters: 2,
    mailboxes: 0,
    'mailbox_items mail': 0,
  })
  const taken = flat(await mailboxMetrics(home)())
  t.match(taken, {
    'deliveries_in_total durable': 3,
    'deliveries_in_total ABZU_RATE_LIMITED': 2,
    'rate_limit_refusals_total delivery': 2,
    mailboxes: 1,
    'mailbox_items mail': 3,
    'mailbox_items slot': 3,
    'mailbox_items chunk': 0,
  })
  t.ok((taken['mailbox_bytes mail'] ?? 0) > 3 * 1000)
  const names = Object.keys({ ...sent, ...taken }).join('\n')
  t.notMatch(names, /[0-9a-f]{8}|12D3Koo|abzu1/, 'of nobody')

  const other = new MailboxOwner({ platform, nowMs: time.nowMs(), home: home.home })
  await home.mailboxes.host(other.rootPk, [other.identity(), other.record()])
  t.equal(flat(await mailboxMetrics(home)())['mailboxes'], 1, 'a sum is told again for a while')
  await time.advance(61_000)
  t.equal(flat(await mailboxMetrics(home)())['mailboxes'], 2)
})
