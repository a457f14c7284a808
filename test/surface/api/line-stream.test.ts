import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { lineStream } from '../../../src/surface/api/line-stream.ts'

const fail = (error: unknown) => ({ error: (error as Error).message })
const encode = (value: unknown) => value

/** Counts what is taken from it, and notices when its reader leaves. */
function source(count: number, { failAt = -1 }: { failAt?: number } = {}) {
  const seen = { taken: 0, left: false }
  async function* values() {
    try {
      for (let value = 0; value < count; value++) {
        if (value === failAt) throw new Error('midway')
        seen.taken++
        yield { value, filling: 'x'.repeat(1000) }
      }
    } finally {
      seen.left = true
    }
  }
  return { seen, values: values() }
}

t.test('every value is a line', async (t) => {
  const { values } = source(3)
  const lines = (await text(await lineStream({ values, encode, fail }))).split('\n')
  t.equal(lines.pop(), '')
  t.strictSame(
    lines.map((line) => (JSON.parse(line) as { value: number }).value),
    [0, 1, 2],
  )
})

t.test('no value, no line', async (t) => {
  const { values, seen } = source(0)
  t.equal(await text(await lineStream({ values, encode, fail })), '')
  t.ok(seen.left)
})

t.test('a failure before the first value is no answer at all', async (t) => {
  const { values } = source(3, { failAt: 0 })
  await t.rejects(lineStream({ values, encode, fail }), { message: 'midway' })
})

t.test('a failure midway is the last line', async (t) => {
  const { values } = source(3, { failAt: 2 })
  const lines = (await text(await lineStream({ values, encode, fail }))).trimEnd().split('\n')
  t.equal(lines.length, 3)
  t.strictSame(JSON.parse(lines[2] ?? ''), { error: 'midway' })
})

t.test('a value that does not fit its schema is a failure midway', async (t) => {
  const { values, seen } = source(3)
  const refuse = (value: { value: number }) => {
    if (value.value === 1) throw new Error('another shape')
    return value
  }
  const lines = (await text(await lineStream({ values, encode: refuse, fail })))
    .trimEnd()
    .split('\n')
  t.strictSame(JSON.parse(lines[1] ?? ''), { error: 'another shape' })
  t.ok(seen.left)
})

t.test('nothing is taken that nobody reads, and a reader may leave at any time', async (t) => {
  const { values, seen } = source(100_000)
  const stream = await lineStream({ values, encode, fail })
  t.equal(seen.taken, 1)
  stream.read(1)
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(seen.taken < 200, `${seen.taken} taken ahead`)
  stream.destroy()
  await once(stream, 'close')
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(seen.left)
})

t.test('a stream that is dropped unread ends its source', async (t) => {
  const { values, seen } = source(10)
  const stream = await lineStream({ values, encode, fail })
  stream.destroy()
  await once(stream, 'close')
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(seen.left)
})
