import t from 'tap'
import { ambientUses } from './ambient.ts'

const forbidden = [
  'Date.now()',
  'const { now } = Date',
  'const clock = Date',
  `Date['now']()`,
  'Date[name]()',
  'new Date()',
  'new Date',
  'Date()',
  'globalThis.Date.now()',
  'new globalThis.Date()',
  'performance.now()',
  'globalThis.performance.now()',
  'const start = { performance }',
  'Math.random()',
  'const { random } = Math',
  'globalThis.Math.random()',
  'crypto.getRandomValues(new Uint8Array(1))',
  'globalThis.crypto.randomUUID()',
  `globalThis['crypto'].subtle`,
  'setTimeout(f, 1)',
  'globalThis.setTimeout(f, 1)',
  `globalThis['setTimeout'](f, 1)`,
  'globalThis[name](f, 1)',
  'const everything = globalThis',
  'global.setInterval(f, 1)',
  'setInterval(f, 1)',
  'setImmediate(f)',
  'queueMicrotask(f)',
  'call(setTimeout)',
  'AbortSignal.timeout(5)',
  'globalThis.AbortSignal.timeout(5)',
  'process.env.HOME',
  `process['env']`,
  'const { env } = process',
  'globalThis.process.env',
  'process.nextTick(f)',
  'process.hrtime.bigint()',
  `import process from 'node:process'; process.env`,
  `import { env } from 'node:process'`,
  `import { env as e } from 'process'`,
  `import * as everything from 'node:process'`,
  `import { setTimeout } from 'node:timers/promises'`,
  `import timers from 'timers'`,
  `import 'node:timers'`,
  `await import('node:timers/promises')`,
  `import { performance } from 'node:perf_hooks'`,
  `import { randomBytes } from 'node:crypto'`,
  `import { createHash, randomUUID as id } from 'node:crypto'`,
  `import crypto from 'node:crypto'`,
]

const welcome = [
  'new Date(clock.nowMs()).toISOString()',
  'const f = (at: Date): Date => at',
  'value instanceof Date',
  'clock.now()',
  'deps.setTimeout(f)',
  'const { setTimeout } = deps; setTimeout(f)',
  'interface Timers { setTimeout(): void; performance: number }',
  'function f(crypto: Platform) { return crypto.random(4) }',
  'Math.max(1, 2)',
  'AbortSignal.any([])',
  'process.pid',
  `import process from 'node:process'; process.stdout.write('')`,
  `import { createHash, sign } from 'node:crypto'`,
  `import type { webcrypto } from 'node:crypto'`,
  'globalThis.Uint8Array',
  'const x = { performance: 1, crypto: 2 }',
  '// Date.now() in a comment',
  `const text = 'Date.now()'`,
]

t.test('reaching for the platform is found', async (t) => {
  for (const line of forbidden) t.equal(ambientUses('x.ts', `\n${line}`).length > 0, true, line)
  t.match(ambientUses('x.ts', '\n\nDate.now()'), ['3: Date.now'])
})

t.test('what was handed in is not', async (t) => {
  for (const line of welcome) t.strictSame(ambientUses('x.ts', line), [], line)
})
