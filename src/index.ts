/** The public API of the package: a client of a running node, and the error that everything throws. @module */

export { AbzuClient } from './surface/client/client.ts'
export type { AbzuClientInit } from './surface/client/ask.ts'
export { AbzuError, isAbzuError, type ErrorCode } from './base/util/errors.ts'
