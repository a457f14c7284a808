/**
 * The daemon's log on stderr: JSON lines by pino, or lines for people. What a secret or a remote
 * text could hide in is made harmless here, whatever a caller passes.
 * @module
 */

import type { Writable } from 'node:stream'
import { pino } from 'pino'
import type { Clock } from '../../base/util/clock.ts'
import { withoutWords } from '../../base/crypto/words.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { inertLine } from '../../base/util/inert-text.ts'
import type { Log, LogFields } from '../../base/util/log.ts'

type Level = keyof Log

export interface DaemonLogInit {
  readonly stream: Writable
  readonly clock: Pick<Clock, 'nowMs'>
  /** The least level that is written. */
  readonly level: Level
  readonly json: boolean
}

/** What waits for a reader of stderr that does not read; more is dropped. */
const waitingBytesMax = 1024 * 1024
const textCharactersMax = 300
const stackCharactersMax = 4000
const secretFields = [
  'password',
  'words',
  'token',
  'secret',
  'seed',
  'link',
  'authorization',
  'text',
]

/** Ids are cut, links and what looks like a key or token goes whole. */
const telltales: readonly (readonly [RegExp, string])[] = [
  [/abzu:abzu1\S*/g, 'abzu:…'],
  [/\b(abzu1[02-9ac-hj-np-z]{6})[02-9ac-hj-np-z]{20,}/g, '$1…'],
  [/\b12D3Koo\w{30,}(\w{6})\b/g, '12D3Koo…$1'],
  [/\bdid:key:z\w{30,}/g, 'did:key:…'],
  [/\b([0-9a-f]{8})[0-9a-f]{24,}\b/g, '$1…'],
  [/[\w-]{40,}/g, '…'],
]

export function createDaemonLog({ stream, clock, level, json }: DaemonLogInit): Log {
  const destination = {
    write(line: string) {
      if (stream.writableLength < waitingBytesMax) stream.write(line)
    },
  }
  const logger = pino(
    {
      level,
      base: null,
      redact: secretFields,
      timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'event',
    },
    json ? destination : forPeople(destination),
  )
  const write = (at: Level) => (event: string, fields?: LogFields) => {
    logger[at](harmless(fields), harmlessText(event))
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** Turns pino's lines into `time LEVEL event key=value`. */
function forPeople(destination: { write(line: string): void }) {
  return {
    write(line: string) {
      const { time, level, event, ...fields } = JSON.parse(line) as Record<string, unknown>
      const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`)
      destination.write(
        `${String(time)} ${String(level).toUpperCase()} ${String(event)}${pairs.join('')}\n`,
      )
    },
  }
}

function harmless(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error
        ? describeError(value)
        : typeof value === 'string'
          ? harmlessText(value)
          : value,
    ]),
  )
}

/** Code and message; the place only where the error is a bug; the causes, a few levels deep. */
function describeError(error: Error, depth = 0): Record<string, unknown> {
  const known = error instanceof AbzuError
  const { code } = error as { code?: unknown }
  return {
    ...(typeof code === 'string' && { code: harmlessText(code) }),
    message: harmlessText(error.message),
    ...(!known && error.stack && { stack: harmlessText(error.stack, stackCharactersMax) }),
    ...(error.cause instanceof Error &&
      depth < 3 && { cause: describeError(error.cause, depth + 1) }),
  }
}

function harmlessText(text: string, charactersMax = textCharactersMax): string {
  let told = text.slice(0, 4 * stackCharactersMax)
  // first what tells, then the length: a cut token is still half a token
  for (const [pattern, replacement] of telltales) told = told.replace(pattern, replacement)
  return inertLine(withoutWords(told), charactersMax)
}
