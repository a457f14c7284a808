/** Runs `work` for each of `items` in their order, `parallelMax` at a time; rejects with the first failure, when all
 *  that had begun have ended. */
export async function inParallel<T>(
  items: readonly T[],
  parallelMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values()
  const lanes = Array.from({ length: Math.min(parallelMax, items.length) }, async () => {
    // the lanes share one iterator
    for (const item of left) await work(item)
  })
  const results = await Promise.allSettled(lanes)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
