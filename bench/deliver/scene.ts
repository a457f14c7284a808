/** What the parts of the benchmark share: letters sealed once, and how long to measure. @module */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { PartContext } from '../harness.ts'
import { runRounds, type Rounds, type Variant } from '../rounds.ts'
import { Rig, type RigLoad } from './rig.ts'
import { sealPost, type Post } from './sealing.ts'
import type { Work } from './server-messages.ts'

/** So many connections, each with so many messages in flight. */
export interface Shape {
  readonly connections: number
  readonly inFlight: number
}

export const wide: Shape = { connections: 16, inFlight: 16 }
export const deep: Shape = { connections: 1, inFlight: 256 }

/** `16x16`: connections by messages in flight. */
export function nameOf({ connections, inFlight }: Shape): string {
  return `${connections}x${inFlight}`
}

interface Effort {
  readonly letters: number
  readonly warmUpMs: number
  readonly rounds: number
  readonly roundMs: number
}

/** A daemon runs for months: what it does often is compiled, and its caches are filled. */
const full: Effort = { letters: 40_000, warmUpMs: 4000, rounds: 7, roundMs: 400 }
const quick: Effort = { letters: 1200, warmUpMs: 50, rounds: 2, roundMs: 60 }
/** Rounds of one comparison end here on a machine too slow for all of them. */
const budgetMs = 15_000

/** Keeps what is expensive to make between parts of one run. */
export class Scene {
  readonly platform: CryptoPlatform = nodePlatform()
  #post: Promise<Post> | undefined

  /** A server of the part's own, with its connections. */
  async rig(context: PartContext, { work, shape, commitDelayMs = 0 }: SceneRigInit): Promise<Rig> {
    const post = await this.post(context)
    const dir = join(context.scratchDir, `${work}-${nameOf(shape)}`)
    await mkdir(dir, { mode: 0o700 })
    const { connections, inFlight } = shape
    const load = { inFlight, ...loadOf(context) }
    const init = { work, connections, dir, post, load, commitDelayMs }
    return Rig.start({ ...context, platform: this.platform }, init)
  }

  post(context: PartContext): Promise<Post> {
    this.#post ??= sealPost(this.platform, context, effortOf(context).letters)
    return this.#post
  }
}

export interface SceneRigInit {
  readonly work: Work
  readonly shape: Shape
  readonly commitDelayMs?: number
}

function effortOf(context: PartContext): Effort {
  return context.quick ? quick : full
}

/** How long to warm up and to measure. */
export function loadOf(context: PartContext): Omit<RigLoad, 'inFlight'> {
  const { letters, warmUpMs, rounds, roundMs } = effortOf(context)
  return { warmUpMs, roundMs, roundMessagesMax: Math.floor(letters / rounds) }
}

export function compare<S>(
  context: PartContext,
  variants: readonly Variant<S>[],
): Promise<Rounds<S>> {
  const { clock, signal } = context
  const { rounds } = effortOf(context)
  return runRounds({ variants, rounds, budgetMs, clock, signal })
}
