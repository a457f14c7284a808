import { silentLog } from '../../src/base/util/log.ts'
import { loadQuic } from '../../src/machine/transport/quic.ts'
import { defaultTransportLimits as limits } from '../../src/machine/transport/transport-limits.ts'
import type { Measure, PartContext } from '../harness.ts'

/** Whether this machine has QUIC. */
export async function hasQuic({ scheduler }: Pick<PartContext, 'scheduler'>): Promise<boolean> {
  return (await loadQuic({ limits, scheduler, log: silentLog })) !== undefined
}

/** A measure on a machine without QUIC. */
export function withoutQuic(measure: Omit<Measure, 'value' | 'note'>): Measure {
  return { ...measure, value: null, note: 'skipped: no QUIC on this machine' }
}
