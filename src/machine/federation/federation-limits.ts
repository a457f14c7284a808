import type { Rate } from '../../base/util/gcra.ts'

/** Bounds of what a node agrees on with others that it trusts; `docs/limits.md` says why. */
export interface FederationLimits {
  readonly trustedPeersMax: number
  /** Peers that were trusted once and are remembered, so that accounts stop naming them. */
  readonly partedPeersMax: number
  /** Codes that nobody has used and that have not ended. */
  readonly invitesMax: number
  /** Longest life of a code. */
  readonly inviteHoursMax: number
  /** Codes that one remote node may try. */
  readonly peerAttempts: Rate
  /** Codes that this node looks at, whoever tries them. */
  readonly nodeAttempts: Rate
  /** Remote nodes that a rate limit remembers. */
  readonly rateKeysMax: number
  /** For accepting a code: a dial, a lookup and a round trip. */
  readonly acceptMs: number
}

/** For a node of one household. */
export const defaultFederationLimits: FederationLimits = {
  trustedPeersMax: 64,
  partedPeersMax: 64,
  invitesMax: 32,
  inviteHoursMax: 4 * 7 * 24,
  peerAttempts: { perSecond: 0.1, burst: 10 },
  nodeAttempts: { perSecond: 10, burst: 100 },
  rateKeysMax: 1000,
  acceptMs: 20_000,
}
