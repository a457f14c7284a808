import fc from 'fast-check'
import t from 'tap'
import { concatBytes, toHex } from '../../../src/base/util/bytes.ts'
import {
  encodeFrame,
  FrameDecoder,
  frameType,
  type Frame,
  type FrameType,
} from '../../../src/base/wire/frame.ts'
import { wireLimits } from '../../../src/base/wire/limits.ts'
import { retainedBytes } from '../../support/memory.ts'
import { hex } from '../../support/vectors.ts'

const frames = fc.array(
  fc.record({
    type: fc.constantFrom<FrameType>(...Object.values(frameType)),
    payload: fc.uint8Array({ maxLength: 700 }),
  }),
  { maxLength: 12 },
)

function told(frame: Frame): string {
  return `${frame.type} ${toHex(frame.payload)}`
}

t.test('frames come out as they went in, however the stream was cut', async () => {
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.integer({ min: 0, max: 900 })), (sent, cuts) => {
      const stream = concatBytes(...sent.map(({ type, payload }) => encodeFrame(type, payload)))
      const decoder = new FrameDecoder()
      const received: string[] = []
      for (let at = 0; at < stream.length;) {
        const length = cuts.next().value
        // A reader may reuse its buffer once the frames were taken: they are told at once.
        received.push(...decoder.push(stream.slice(at, at + length)).map(told))
        at += length
      }
      return decoder.pendingBytes === 0 && received.join() === sent.map(told).join()
    }),
    { numRuns: 500 },
  )
})

t.test('one byte at a time', async (t) => {
  const decoder = new FrameDecoder()
  const stream = concatBytes(
    encodeFrame(frameType.data, hex('010203')),
    encodeFrame(frameType.end, hex('')),
  )
  const received = Array.from(stream).flatMap((byte) => decoder.push(Uint8Array.of(byte)).map(told))
  t.strictSame(received, ['0 010203', '2 '])
  t.equal(decoder.pendingBytes, 0)
})

t.test('what is held back is a copy', async (t) => {
  const decoder = new FrameDecoder()
  const whole = encodeFrame(frameType.data, hex('0102030405'))
  const first = whole.slice(0, 7)
  t.strictSame(decoder.push(first), [])
  t.equal(decoder.pendingBytes, 7)
  first.fill(0xff)
  t.strictSame(decoder.push(whole.slice(7)).map(told), ['0 0102030405'])
})

t.test('a payload is not overwritten by the frames behind it', async (t) => {
  const decoder = new FrameDecoder()
  const [a, b] = ['0102030405', '0607080910'].map((bytes) =>
    encodeFrame(frameType.data, hex(bytes)),
  )
  decoder.push((a as Uint8Array).slice(0, 6))
  const [first] = decoder.push(
    concatBytes((a as Uint8Array).slice(6), (b as Uint8Array).slice(0, 8)),
  )
  decoder.push((b as Uint8Array).slice(8))
  t.equal(first && told(first), '0 0102030405')
})

t.test('the largest frame and one byte more', async (t) => {
  const largest = new Uint8Array(wireLimits.frameBytesMax)
  const decoder = new FrameDecoder()
  t.equal(decoder.push(encodeFrame(frameType.data, largest))[0]?.payload.length, largest.length)
  t.throws(() => encodeFrame(frameType.data, new Uint8Array(largest.length + 1)), {
    code: 'ABZU_TOO_LARGE',
  })
  t.throws(() => decoder.push(hex('0008000200')), { code: 'ABZU_TOO_LARGE' })
  t.throws(() => new FrameDecoder().push(hex('ffffffff00')), { code: 'ABZU_TOO_LARGE' })
})

t.test('a header that is none is refused before its frame is there', async (t) => {
  for (const header of ['0000000000', '0000000105', '00000001ff']) {
    t.throws(() => new FrameDecoder().push(hex(header)), { code: 'ABZU_MALFORMED' }, header)
    const decoder = new FrameDecoder()
    for (const byte of hex(header).slice(0, 4)) decoder.push(Uint8Array.of(byte))
    t.throws(
      () => decoder.push(hex(header).slice(4)),
      { code: 'ABZU_MALFORMED' },
      `dripped ${header}`,
    )
  }
})

t.test('a drip of bytes costs no more than a few times what it sent', async (t) => {
  const decoder = new FrameDecoder()
  const frame = encodeFrame(frameType.data, new Uint8Array(wireLimits.frameBytesMax))
  const retained = retainedBytes(() => {
    // Each byte lies in a chunk that would live for as long as the byte is kept.
    for (const byte of frame.subarray(0, 5000)) {
      decoder.push(new Uint8Array(16_384).fill(byte).subarray(7, 8))
    }
    return decoder
  })
  t.equal(decoder.pendingBytes, 5000)
  t.ok(retained < 200_000, `${retained} bytes for 5000`)
})
