/**
 * Interleaved rounds: A B, B A, A B ... A machine drifts while it is measured (other programs, heat,
 * a disk that settles), so variants are compared only with their neighbours in time.
 * @module
 */

import type { Clock } from '../src/base/util/clock.ts'

export interface Variant<S> {
  readonly name: string
  /** Runs until what is measured has its usual speed: compiled, filled, connected. */
  warmUp(): Promise<unknown>
  round(): Promise<S>
}

export interface RoundsInit<S> {
  readonly variants: readonly Variant<S>[]
  /** Fewer where `budgetMs` is over, but one at least. */
  readonly rounds: number
  readonly budgetMs: number
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly signal: AbortSignal
}

/** The middle of `values`; between two middles their mean.
 *  @throws {Error} of no values: there is no figure to report */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('the median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] as number
  const lower = sorted[(sorted.length - 1) >> 1] as number
  return (lower + upper) / 2
}

/** The least of `values` that is not below `share` of them; `share` from 0 to 1.
 *  @throws {Error} of no values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('a quantile of nothing')
  return value
}

/** One round: the sample that a variant gave in it. */
export type Round<S> = (variant: string) => S

/** The samples of all rounds, by variant. */
export class Rounds<S> {
  readonly #samples: ReadonlyMap<string, readonly S[]>

  constructor(samples: ReadonlyMap<string, readonly S[]>) {
    this.#samples = samples
  }

  get count(): number {
    const [first] = this.#samples.values()
    return first?.length ?? 0
  }

  /** What one variant gave, in the order of the rounds. */
  of(variant: string): readonly S[] {
    return this.#samples.get(variant) ?? []
  }

  /** The median over the rounds of a figure of each round: where it is a ratio, neighbours in time are
   *  compared and not medians of times that lie apart. */
  median(figure: (round: Round<S>) => number): number {
    const rounds = Array.from({ length: this.count }, (_, index) => (variant: string) => {
      const sample = this.#samples.get(variant)?.[index]
      if (sample === undefined) throw new Error(`no sample of ${variant}`)
      return sample
    })
    return median(rounds.map(figure))
  }
}

/** Warms every variant up, then runs the rounds: each variant once a round, in turning order. */
export async function runRounds<S>(init: RoundsInit<S>): Promise<Rounds<S>> {
  const { variants, rounds, budgetMs, clock, signal } = init
  const samples = new Map<string, S[]>(variants.map(({ name }) => [name, []]))
  for (const variant of variants) {
    signal.throwIfAborted()
    await variant.warmUp()
  }
  const endMs = clock.monotonicMs() + budgetMs
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && clock.monotonicMs() >= endMs) break
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      signal.throwIfAborted()
      const sample = await variant.round()
      samples.get(variant.name)?.push(sample)
    }
  }
  return new Rounds(samples)
}
