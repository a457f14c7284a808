/** Everything that goes wrong on purpose. */
export const faultKinds = [
  'partition',
  'one-way-partition',
  'reset',
  'drop',
  'duplicate',
  'reorder',
  'kill',
  'power-cut',
  'lost-write',
  'restart',
  'slow-disk',
  'failed-sync',
  'bit-flip',
  'snapshot-restored',
  'clock-jump',
  'lying-holder',
  'lying-copy',
  'lost-home',
  'revived-home',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** How often each fault has really come about: one that never does tests nothing. */
export class FaultCounts {
  readonly #counts = new Map<FaultKind, number>()

  count(kind: FaultKind, times = 1): void {
    this.#counts.set(kind, this.of(kind) + times)
  }

  of(kind: FaultKind): number {
    return this.#counts.get(kind) ?? 0
  }

  /** By kind. */
  all(): Record<FaultKind, number> {
    return Object.fromEntries(faultKinds.map((kind) => [kind, this.of(kind)])) as Record<
      FaultKind,
      number
    >
  }
}
