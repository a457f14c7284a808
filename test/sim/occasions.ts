/** How often something comes about, and for how long. @module */

import type { World } from './world.ts'

const second = 1000
const minute = 60 * second

/** A few times within a duration. */
export function times(world: World, durationMs: number, max: number, task: () => void): void {
  const { random, timeline } = world
  for (let left = 1 + random.below(max); left > 0; left--) {
    timeline.after(random.between(0, durationMs), 'fault', task)
  }
}

/** How long something lasts: mostly short. */
export function lasting({ random }: World): number {
  return random.pick([second, 10 * second, minute, 10 * minute]) * random.between(0.3, 1.5)
}
