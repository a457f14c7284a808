/** The process in numbers: memory, processor, and how long its event loop lets others wait. @module */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { single, type MetricSource } from '../base/util/metric.ts'
import { version } from '../version.ts'

/** A sample each so often: 20 wakings a second cost nothing that can be measured. */
const resolutionMs = 50
const nanoseconds = 1e9

/** Watches the event loop from now on. Close ends it. */
export function openProcessProbe(): { metrics: MetricSource; close: () => void } {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  // what is measured is the time between two samples, of which the first part was asked for
  const late = (value: number) => Math.max(0, value / nanoseconds - resolutionMs / 1000)
  const metrics: MetricSource = () => {
    const { rss, heapUsed, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    const quantiles = delay.count === 0 ? [] : [0.5, 0.99]
    const told = [
      {
        name: 'info',
        help: 'Always 1',
        kind: 'gauge' as const,
        samples: [{ labels: { version }, value: 1 }],
      },
      {
        name: 'event_loop_delay_seconds',
        help: 'How late the event loop was, since somebody asked last',
        kind: 'gauge' as const,
        samples: [
          ...quantiles.map((quantile) => ({
            labels: { quantile: String(quantile) },
            value: late(delay.percentile(100 * quantile)),
          })),
          { labels: { quantile: '1' }, value: delay.count === 0 ? 0 : late(delay.max) },
        ],
      },
      single('gauge', 'process_resident_bytes', 'Memory of the process', rss),
      single('gauge', 'process_heap_bytes', 'Of that, JavaScript in use', heapUsed),
      single('gauge', 'process_external_bytes', 'Of that, outside JavaScript', external),
      single('counter', 'process_cpu_seconds_total', 'Processor time', (user + system) / 1e6),
      single('gauge', 'process_uptime_seconds', 'Since the start', process.uptime()),
    ]
    delay.reset()
    return told
  }
  return { metrics, close: () => void delay.disable() }
}
