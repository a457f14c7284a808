/** Mail in numbers. @module */

import type { ItemKind } from '../../base/store/item-store.ts'
import { single, type Metric, type MetricSource } from '../../base/util/metric.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { Outbox } from './outbox.ts'

export interface MailboxMetricsDeps {
  readonly mailboxes: Pick<Mailboxes, 'taken' | 'totals'>
  readonly outbox: Pick<Outbox, 'outcomesTold' | 'depth' | 'room'>
}

export function mailboxMetrics({ mailboxes, outbox }: MailboxMetricsDeps): MetricSource {
  return async () => {
    const totals = await mailboxes.totals.read()
    const kinds: readonly ItemKind[] = ['mail', 'chunk', 'slot']
    const byKind = (part: 'items' | 'bytes'): Metric['samples'] =>
      kinds.map((kind) => ({ labels: { kind }, value: totals[kind][part] }))
    return [
      {
        name: 'deliveries_in_total',
        help: 'Deliveries of other nodes, by what they were answered',
        kind: 'counter',
        samples: mailboxes.taken.samples('outcome'),
      },
      {
        name: 'deliveries_out_total',
        help: 'What became of letters; one that was held counts once more at its end',
        kind: 'counter',
        samples: outbox.outcomesTold.samples('outcome'),
      },
      {
        name: 'rate_limit_refusals_total',
        help: 'What came too fast',
        kind: 'counter',
        samples: [
          { labels: { of: 'delivery' }, value: mailboxes.taken.of('ABZU_RATE_LIMITED') },
          { labels: { of: 'post' }, value: outbox.room.refusals.of('ABZU_RATE_LIMITED') },
        ],
      },
      single('gauge', 'outbox_letters', 'Letters that their home has not answered', outbox.depth),
      single('gauge', 'mailboxes', 'Mailboxes hosted here', totals.mailboxes),
      { name: 'mailbox_items', help: 'Items stored', kind: 'gauge', samples: byKind('items') },
      { name: 'mailbox_bytes', help: 'Their size', kind: 'gauge', samples: byKind('bytes') },
    ]
  }
}
