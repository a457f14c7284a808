/** Metrics in the text format of Prometheus. @see https://prometheus.io/docs/instrumenting/exposition_formats @module */

import type { Metric } from '../../base/util/metric.ts'

/** The library loads with the first call: a node that nobody watches does without its 4 MB. */
export async function metricsText(metrics: readonly Metric[]): Promise<string> {
  const { Counter, Gauge, Registry } = await import('@prometheus-io/client')
  const registry = new Registry()
  for (const { name, help, kind, samples } of metrics) {
    // without a sample the library would tell one without its labels
    if (samples.length === 0) continue
    const labelNames = [...new Set(samples.flatMap(({ labels = {} }) => Object.keys(labels)))]
    const init = { name: `abzu_${name}`, help, labelNames, registers: [registry] }
    const metric = kind === 'counter' ? new Counter(init) : new Gauge(init)
    for (const { labels = {}, value } of samples) metric.inc(labels, value)
  }
  return registry.metrics()
}
