/** What else brings one machine's data to another one. @module */

import type { PeerInit } from './peer.ts'

export interface CopierInit extends Omit<PeerInit, 'clients'> {
  readonly items: number
  readonly itemBytes: number
}

/** Two servers, one of which has the items. */
export interface Copier {
  /** Resolves when the other one has nothing. */
  clear(): Promise<void>
  /** Resolves when the other one has everything, see `CopierKind.promise`. */
  copy(): Promise<void>
}

export interface CopierKind {
  readonly name: string
  /** What is true when a copy is done, in a few words. */
  readonly promise: string
  /** Why it cannot run here, or undefined. */
  missing(): string | undefined
  /** `init.open` takes the servers. */
  start(init: CopierInit): Promise<Copier>
}
