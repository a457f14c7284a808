/** What the owner of a node says of another one that it is to be paired with. @module */

import type { Command } from 'commander'
import { parseByteCount } from './byte-count.ts'

export interface PairOptions {
  readonly name?: string
  /** Bytes. */
  readonly quota?: number
}

/** Adds `--name` and `--quota`. */
export function withPairOptions(command: Command): Command {
  return command
    .option('--name <name>', 'what to call the other node; as it calls itself where left out')
    .option(
      '--quota <size>',
      'how much to keep for it, such as 500MB; 10GB where left out',
      parseByteCount,
    )
}
