/** Bounds of the control API; docs/limits.md says why. Units come last in the names. */
export const apiLimits = {
  bodyBytesMax: 1024 * 1024,
  connectionsMax: 64,
  /** For the head of a request to arrive. */
  headersMs: 5000,
  /** For a whole request to arrive. */
  requestMs: 30_000,
  /** Silence on a connection, longer than any answer takes to begin. */
  silenceMs: 120_000,
  /** Between two looks for requests that are late. */
  lookEveryMs: 1000,
  keepAliveMs: 5000,
  /** A contact's name in a path, percent-encoded. */
  pathPartCharactersMax: 512,
  /** For requests that run while the API closes. */
  closeGraceMs: 2000,
  /** For an answer to begin, where its route says nothing else. */
  answerMs: 30_000,
  /** One piece of a file that is brought in. */
  pieceBytesMax: 4 * 1024 * 1024,
  /** Files that are brought in at once. */
  uploadsMax: 2,
  /** After which a file is dropped with which nobody goes on. */
  uploadIdleMs: 600_000,
  /** Sessions of one account; one more ends the least recently used one. */
  accountSessionsMax: 16,
  /** Sessions of all accounts; one more ends the least recently used one. */
  sessionsMax: 256,
} as const
