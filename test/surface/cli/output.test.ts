import { Writable } from 'node:stream'
import t from 'tap'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { inertJson } from '../../../src/surface/cli/inert-json.ts'
import { Output } from '../../../src/surface/cli/output.ts'
import { dangers, payloads } from '../../support/payloads.ts'

function sinks() {
  const written = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk: Uint8Array, _encoding, done) {
        written[name] += Buffer.from(chunk).toString()
        done()
      },
    })
  return { written, stdout: sink('stdout'), stderr: sink('stderr') }
}

t.test('inert JSON is the same value', async (t) => {
  const values = [
    ...payloads,
    { key: payloads },
    '👩‍👩‍👧 ü 中 א',
    1,
    null,
    [true],
    '\u3164\u115f\u034f\ue000',
  ]
  for (const value of values) {
    const text = inertJson(value)
    t.strictSame(dangers(text), [])
    t.notOk(text.includes('\n'))
    t.equal(JSON.stringify(JSON.parse(text)), JSON.stringify(value))
  }
  t.equal(inertJson('\u{e0041}\u202e\u007f'), String.raw`"\udb40\udc41\u202e\u007f"`)
  t.equal(inertJson('ü中'), '"ü中"', 'what shows stays readable')
})

t.test('results go to stdout, the rest to stderr', async (t) => {
  for (const json of [true, false]) {
    const { written, stdout, stderr } = sinks()
    const output = new Output({ stdout, stderr, json })
    await output.result({ a: 1 }, () => ['one', 'two'])
    await output.note('by the way')
    await output.error(new AbzuError('ABZU_IO', 'broken'))
    t.equal(written.stdout, json ? '{"a":1}\n' : 'one\ntwo\n')
    t.equal(
      written.stderr,
      json
        ? '{"error":{"code":"ABZU_IO","message":"broken"}}\n'
        : 'by the way\nabzu: broken (ABZU_IO)\n',
    )
  }
})

t.test('a bug shows where it is, to people only', async (t) => {
  const bug = new AbzuError('ABZU_INTERNAL', 'oops', { cause: new Error('the reason') })
  const text = sinks()
  await new Output({ ...text, json: false }).error(bug)
  t.match(text.written.stderr, /the reason[^]*output\.test\.ts/)
  const json = sinks()
  await new Output({ ...json, json: true }).error(bug)
  t.notMatch(json.written.stderr, /the reason/)
})

t.test('a line feed inside a line begins no line', async (t) => {
  const { written, stdout, stderr } = sinks()
  await new Output({ stdout, stderr, json: false }).lines(['a\nb', 'c'])
  t.equal(written.stdout, 'a<U+000A>b\nc\n')
})

t.test('a reader that leaves is noticed, and no error', async (t) => {
  const { stderr } = sinks()
  const stdout = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('gone'), { code: 'EPIPE' }))
    },
  })
  const output = new Output({ stdout, stderr, json: true })
  t.notOk(output.readerLeft)
  await output.value(1)
  await output.value(2)
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(output.readerLeft)
})
