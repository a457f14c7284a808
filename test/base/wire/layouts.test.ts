/** The fixed layouts, by their edges: one byte less, one byte more, one bit else. */

import t from 'tap'
import { concatBytes } from '../../../src/base/util/bytes.ts'
import { isAbzuError } from '../../../src/base/util/errors.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import {
  decodeDeliverAnswer,
  decodeDeliverRequest,
  deliveriesInFlightMax,
  encodeDeliverAnswer,
  encodeDeliverRequest,
} from '../../../src/base/wire/deliver.ts'
import { envelopeBytesMin, parseEnvelopeHeader } from '../../../src/base/wire/envelope.ts'
import { wireLimits } from '../../../src/base/wire/limits.ts'
import { parsePlainSlot, plainSlotKind, plainSlotName } from '../../../src/base/wire/plain-slot.ts'
import { parseSlotHeader, slotHeaderBytes } from '../../../src/base/wire/slot.ts'
import { layoutSamples, recordSamples } from '../../support/wire-samples.ts'

const malformed = { name: 'AbzuError', code: 'ABZU_MALFORMED' }

function sample(name: string): Uint8Array {
  const found = layoutSamples.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`no sample ${name}`)
  return Uint8Array.from(found.bytes)
}

/** A copy with one byte set. */
function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = value
  return copy
}

t.test('envelope', async (t) => {
  const envelope = sample('envelope header')
  t.equal(envelope.length, envelopeBytesMin)
  t.throws(() => parseEnvelopeHeader(envelope.subarray(1)), malformed)
  t.throws(() => parseEnvelopeHeader(new Uint8Array(0)), malformed)
  t.throws(() => parseEnvelopeHeader(changed(envelope, 0, 2)), malformed, 'another version')
  for (const suite of [0, 2, 0x11, 0x20, 255]) {
    t.throws(() => parseEnvelopeHeader(changed(envelope, 1, suite)), malformed, `suite ${suite}`)
  }
  const largest = concatBytes(
    envelope,
    new Uint8Array(wireLimits.envelopeBytesMax - envelope.length),
  )
  t.equal(parseEnvelopeHeader(largest).suite, 1)
  t.throws(() => parseEnvelopeHeader(concatBytes(largest, new Uint8Array(1))), {
    code: 'ABZU_TOO_LARGE',
  })
  t.equal(
    parseEnvelopeHeader(changed(envelope, 10, 0xff)).expiresAtHours > 2 ** 31,
    true,
    'unsigned',
  )
})

t.test('slot header', async (t) => {
  const signed = sample('slot header')
  t.equal(signed.length, slotHeaderBytes)
  t.throws(() => parseSlotHeader(signed.subarray(0, -1)), malformed)
  t.throws(() => parseSlotHeader(concatBytes(signed, new Uint8Array(1))), malformed)
  t.throws(() => parseSlotHeader(changed(signed, 0, 0)), malformed, 'another version')
  for (const kind of [0, 3, 255])
    t.throws(() => parseSlotHeader(changed(signed, 1, kind)), malformed)
  t.equal(parseSlotHeader(changed(signed, 1, 2)).header.class, 2)
  t.throws(() => parseSlotHeader(changed(signed, 54, 1)), malformed, 'a version beyond 2^53')
  const { unsigned, signature } = parseSlotHeader(signed)
  t.strictSame(concatBytes(unsigned, signature), signed, 'all of it is signed or signature')
})

t.test('plain slot', async (t) => {
  t.throws(() => parsePlainSlot(new Uint8Array(0)), malformed)
  for (const kind of [0, 6, 255]) t.throws(() => parsePlainSlot(Uint8Array.of(kind, 1)), malformed)
  t.strictSame(parsePlainSlot(Uint8Array.of(1)), {
    kind: plainSlotKind.identity,
    content: new Uint8Array(0),
  })
  const names = [
    plainSlotName.identity,
    plainSlotName.record,
    plainSlotName.door(Uint8Array.of(1, 2)),
    plainSlotName.acknowledgement(Uint8Array.of(1, 2), 3, 4),
    plainSlotName.acknowledgement(Uint8Array.of(1, 2), 34, 0),
    plainSlotName.keyring(Uint8Array.of(1, 2)),
  ]
  t.equal(new Set(names).size, names.length, 'no two slots share a name')
})

const request = {
  requestId: 1,
  mailbox: new Uint8Array(32),
  doorId: new Uint8Array(8),
  proof: new Uint8Array(16),
  envelope: new Uint8Array(1),
}

t.test('delivery request', async (t) => {
  const largest = { ...request, requestId: 2 ** 32 - 1 }
  const envelope = new Uint8Array(wireLimits.envelopeBytesMax)
  const bytes = encodeDeliverRequest({ ...largest, envelope })
  t.ok(bytes.length < wireLimits.frameBytesMax, 'the largest fits a frame')
  t.equal(decodeDeliverRequest(bytes).envelope.length, envelope.length)
  const wrong = [
    { requestId: 2 ** 32 },
    { requestId: -1 },
    { mailbox: new Uint8Array(31) },
    { doorId: new Uint8Array(9) },
    { proof: new Uint8Array(0) },
    { envelope: new Uint8Array(0) },
    { envelope: new Uint8Array(wireLimits.envelopeBytesMax + 1) },
  ]
  for (const part of wrong) {
    t.throws(() => decodeDeliverRequest(encodeDeliverRequest({ ...request, ...part })), malformed)
  }
  t.throws(() => decodeDeliverRequest(encode([1, 1])), malformed, 'an answer is no request')
})

t.test('delivery answer', async (t) => {
  const statement = new Uint8Array(100)
  const requestIds = Array.from({ length: deliveriesInFlightMax }, (_, i) => i)
  const receipt = { kind: 'receipt' as const, requestIds, statement }
  t.strictSame(Object.keys(decodeDeliverAnswer(encodeDeliverAnswer(receipt))), [
    'kind',
    'requestIds',
    'statement',
  ])
  t.throws(
    () => decodeDeliverAnswer(encodeDeliverAnswer({ ...receipt, requestIds: [...requestIds, 1] })),
    malformed,
    'more than can be in flight',
  )
  const answers = [
    [],
    [0, 1],
    [3, 1],
    ['1'],
    [null],
    [[1]],
    { 0: 1 },
    1,
    null,
    [1, [1], statement, 1],
  ]
  for (const answer of answers) t.throws(() => decodeDeliverAnswer(encode(answer)), malformed)
  t.throws(() => decodeDeliverAnswer(encodeDeliverRequest(request)), malformed)
})

t.test('no record is taken for another, none with a field more or less', async (t) => {
  t.ok(recordSamples.length > 10)
  for (const { name, bytes } of recordSamples) {
    for (const other of recordSamples.filter((candidate) => candidate.name !== name)) {
      t.throws(() => other.decode(bytes), malformed, `${name} read as ${other.name}`)
    }
  }
  const optional = new Set(['addresses', 'uses', 'returnAddress'])
  for (const { name, value, decode } of recordSamples) {
    const fields = value as Record<string, never>
    t.throws(() => decode(encode({ ...fields, extra: 1 })), malformed, `${name} with a field more`)
    for (const missing of Object.keys(fields).filter((field) => !optional.has(field))) {
      const { [missing]: _, ...rest } = fields
      t.throws(() => decode(encode(rest)), malformed, `${name} without ${missing}`)
    }
  }
})

t.test('a cut at any place is refused', async (t) => {
  for (const { name, bytes, decode } of recordSamples.filter(({ bytes }) => bytes.length < 700)) {
    for (let length = 0; length < bytes.length; length++) {
      try {
        decode(bytes.subarray(0, length))
        t.fail(`${name} cut to ${length} bytes`)
      } catch (error) {
        if (!isAbzuError(error, 'ABZU_MALFORMED')) t.fail(`${name}: ${String(error)}`)
      }
    }
  }
})
