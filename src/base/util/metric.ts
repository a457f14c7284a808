/** What a part of the node says of itself in numbers. No name, id or address of anybody is in a label. @module */

export interface Sample {
  /** Each of a handful of values that the code knows beforehand. */
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export interface Metric {
  /** Without the prefix `abzu_`; base units; a counter ends in `_total`. */
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly samples: readonly Sample[]
}

/** Asked whenever somebody wants to know, and never else. */
export type MetricSource = () => readonly Metric[] | Promise<readonly Metric[]>

/** A metric of one number. */
export function single(kind: Metric['kind'], name: string, help: string, value: number): Metric {
  return { name, help, kind, samples: [{ value }] }
}

/** Counts events by what they are; `Name` is a closed set, which bounds it. */
export class Tally<Name extends string> {
  readonly #counts = new Map<Name, number>()

  count(name: Name, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by)
  }

  of(name: Name): number {
    return this.#counts.get(name) ?? 0
  }

  /** One sample a name that was ever counted. */
  samples(label: string): Sample[] {
    return [...this.#counts].map(([name, value]) => ({ labels: { [label]: name }, value }))
  }
}
