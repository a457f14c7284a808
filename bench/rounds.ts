/**
 * Interleaved rounds: A B, B A, A B ... A machine drifts while it is measured (other programs, heat,
 * a disk that settles), so variants are compared only with their neighbours in time.
 * @module
 */

import type { Clock } from '../src/base/util/clock.ts'

export interface Variant<S> {
  readonly name: string
  round(): Promise<S>
}

export interface RoundsInit<S> {
  readonly variants: readonly Variant<S>[]
  /** Rounds of every variant before the first that counts. */
  readonly warmUps: number
  /** Rounds that count, fewer where `budgetMs` is over, but one at least. */
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

  /** The median over the rounds of one figure of one variant. */
  median(variant: string, figure: (sample: S) => number): number {
    return median(this.#of(variant).map(figure))
  }

  /** The median of the ratios of each round: neighbours in time are compared, not medians of times
   *  that lie apart. */
  ratio(over: string, under: string, figure: (sample: S) => number): number {
    const below = this.#of(under)
    return median(this.#of(over).map((sample, index) => figure(sample) / figure(below[index] as S)))
  }

  #of(variant: string): readonly S[] {
    const samples = this.#samples.get(variant)
    if (!samples) throw new Error(`no variant ${variant}`)
    return samples
  }
}

/** Runs the rounds, each variant once a round, in turning order. */
export async function runRounds<S>(init: RoundsInit<S>): Promise<Rounds<S>> {
  const { variants, warmUps, rounds, budgetMs, clock, signal } = init
  const samples = new Map<string, S[]>(variants.map(({ name }) => [name, []]))
  const endMs = clock.monotonicMs() + budgetMs
  for (let round = -warmUps; round < rounds; round++) {
    if (round > 0 && clock.monotonicMs() >= endMs) break
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      signal.throwIfAborted()
      const sample = await variant.round()
      if (round >= 0) samples.get(variant.name)?.push(sample)
    }
  }
  return new Rounds(samples)
}
