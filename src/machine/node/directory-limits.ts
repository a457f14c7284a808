import type { Rate } from '../../base/util/gcra.ts'

/** Bounds of what a node holds, asks and answers for the directory; `docs/limits.md` says why. */
export interface DirectoryLimits {
  /** Records held for others. */
  readonly recordsMax: number
  /** Of those, offered by one remote node. */
  readonly recordsPerPeerMax: number
  /** Records that one remote node may offer. */
  readonly peerPuts: Rate
  /** Records that this node looks at, whoever offers them. */
  readonly nodePuts: Rate
  /** Questions of one remote node. */
  readonly peerGets: Rate
  /** Questions that this node answers. */
  readonly nodeGets: Rate
  /** Remote nodes that a rate limit remembers. */
  readonly rateKeysMax: number
  /** A record is held for so long after its end. */
  readonly heldAfterEndHours: number
  /** Answered records that are remembered. */
  readonly cachedRecordsMax: number
  /** A remembered record is answered without asking anybody for so long. */
  readonly cachedMs: number

  /** Mailboxes that are looked for at the same time. */
  readonly resolvesMax: number
  /** Valid answers of the mesh after which the newest is taken. */
  readonly answersWanted: number
  /** So long the mesh is waited for once somebody has answered. */
  readonly answersMs: number
  /** The hosts that a record names have so long before the mesh is asked as well. */
  readonly hostsFirstMs: number
  /** The nodes that are known already have so long before a lookup finds others. */
  readonly knownFirstMs: number
  /** For looking for one record, all of it. */
  readonly resolveMs: number
  /** For one question to one node, its dial included. */
  readonly askMs: number
  /** Nodes that hold one record, as far as there are so many. */
  readonly holdersMax: number
  /** Nodes that are asked, or offered a record, at the same time for one mailbox. */
  readonly askParallelMax: number

  /** A record is offered to its holders again after so long, a tenth more or less. */
  readonly republishMs: number
  /** After a record reached nobody it is offered again; the pause doubles from here... */
  readonly retryMinMs: number
  /** ...to here. */
  readonly retryMaxMs: number
  /** Records of others that are offered again in one round of ten minutes. */
  readonly heldRepublishedMax: number
}

const seconds = 1000
const minutes = 60 * seconds
const hours = 60 * minutes

/** For a node of one household. */
export const defaultDirectoryLimits: DirectoryLimits = {
  recordsMax: 20_000,
  recordsPerPeerMax: 1000,
  peerPuts: { perSecond: 2, burst: 200 },
  nodePuts: { perSecond: 50, burst: 1000 },
  peerGets: { perSecond: 10, burst: 200 },
  nodeGets: { perSecond: 200, burst: 2000 },
  rateKeysMax: 10_000,
  heldAfterEndHours: 30 * 24,
  cachedRecordsMax: 1000,
  cachedMs: 60 * seconds,
  resolvesMax: 64,
  answersWanted: 3,
  answersMs: 3 * seconds,
  hostsFirstMs: 1 * seconds,
  knownFirstMs: 1 * seconds,
  resolveMs: 10 * seconds,
  askMs: 5 * seconds,
  holdersMax: 20,
  askParallelMax: 8,
  republishMs: 12 * hours,
  retryMinMs: 2 * seconds,
  retryMaxMs: 10 * minutes,
  heldRepublishedMax: 100,
}
