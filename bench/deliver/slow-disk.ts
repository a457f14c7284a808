/** A disk that takes its time: does the group commit hide it? @module */

import type { Measure, Part, PartContext } from '../harness.ts'
import { compare, deep, nameOf, wide, type Scene, type Shape } from './scene.ts'

const commitDelayMs = 5

export function slowDisk(scene: Scene): Part {
  return {
    name: 'slow-disk',
    async run(context) {
      return [await retained(scene, context, deep), await retained(scene, context, wide)]
    },
  }
}

async function retained(scene: Scene, context: PartContext, shape: Shape): Promise<Measure> {
  const rounds = await compare(context, [
    await scene.rig(context, { work: 'durable', shape }),
    await scene.rig(context, { work: 'slow-disk', shape, commitDelayMs }),
  ])
  return {
    name: `slow-disk-${nameOf(shape)}`,
    value: rounds.median((round) => round('slow-disk').perSecond / round('durable').perSecond),
    unit: 'ratio',
    target: { op: '>=', value: 0.8 },
    note: `rate with ${commitDelayMs} ms added to every commit against none`,
  }
}
