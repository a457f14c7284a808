/** One that asks without pause beside others that ask for what they need: counted work, on a clock that a test moves. @module */

export interface FairLoad {
  /** Takes one piece of work for a key and returns 0, or the ms to wait. */
  readonly take: (key: string) => number
  readonly clock: { now: number }
  /** What the others want, pieces a second each. */
  readonly wants: readonly number[]
  /** How many pieces of each come at once. */
  readonly atOnce: number
  readonly seconds: number
}

export interface FairLoadResult {
  /** Pieces that each of the others got. */
  readonly got: readonly number[]
  readonly hot: number
}

/** `hot` asks every ms; the others ask when they have something to do, and again after the wait they were told, at 10 ms
 *  or later. Time moves on by one ms a turn. */
export function runFairLoad({ take, clock, wants, atOnce, seconds }: FairLoad): FairLoadResult {
  const others = wants.map((perSecond, n) => ({
    key: `other ${n}`,
    perSecond,
    due: 0,
    got: 0,
    nextMs: clock.now,
    // not all in the same ms
    phaseMs: (n * 137) % 1000,
  }))
  let hot = 0
  const startMs = clock.now
  for (let ms = 0; ms < seconds * 1000; ms++) {
    clock.now = startMs + ms
    while (take('hot') === 0) hot++
    for (const other of others) {
      const wanted = ((ms + other.phaseMs) * other.perSecond) / 1000 / atOnce
      other.due = Math.floor(wanted) * atOnce - other.got
      while (other.due > 0 && clock.now >= other.nextMs) {
        const waitMs = take(other.key)
        if (waitMs > 0) {
          other.nextMs = clock.now + Math.max(10, Math.ceil(waitMs))
        } else {
          other.got++
          other.due--
        }
      }
    }
  }
  return { got: others.map(({ got }) => got), hot }
}

/** What each is due of `whole` where all want at least a little: nobody more than it wants, and what that leaves in equal
 *  parts. The hot one wants everything. */
export function fairShares(whole: number, wants: readonly number[]): number[] {
  const shares = wants.map(() => 0)
  let left = whole
  let claimants = wants.length + 1
  const inOrder = wants.map((want, n) => ({ want, n })).toSorted((a, b) => a.want - b.want)
  for (const { want, n } of inOrder) {
    const share = Math.min(want, left / claimants)
    shares[n] = share
    left -= share
    claimants--
  }
  return shares
}
