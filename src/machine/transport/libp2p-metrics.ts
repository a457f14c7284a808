/** libp2p's own numbers. They cost memory and a wrapper around every stream, so they are for who asks for them. @module */

import type { ComponentLogger, Metrics } from '@libp2p/interface'

export interface Libp2pMetrics {
  readonly create: (components: { logger: ComponentLogger }) => Metrics
  /** In the text format of Prometheus. */
  readonly text: () => Promise<string>
}

/** Loads the library. One node a process: it keeps its metrics in a global of its module. */
export async function loadLibp2pMetrics(): Promise<Libp2pMetrics> {
  const [{ prometheusMetrics }, { Registry }] = await Promise.all([
    import('@libp2p/prometheus-metrics'),
    import('prom-client'),
  ])
  const registry = new Registry()
  return {
    create: prometheusMetrics({ registry, collectDefaultMetrics: false }),
    text: async () => registry.metrics(),
  }
}
