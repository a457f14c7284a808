/** What a class needs of a logger: an event's name and fields, never a text made of remote bytes. @module */

export type LogFields = Readonly<Record<string, string | number | boolean | undefined | Error>>

export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

/** Says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
