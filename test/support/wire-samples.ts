/**
 * One value of each layout of the wire, with what encodes and decodes it: the material of golden
 * vectors and of hostile inputs.
 * @module
 */

import { joinBytes } from '../../src/base/util/bytes.ts'
import { decode, encode, type WireValue } from '../../src/base/wire/codec.ts'
import {
  decodeDeliverAnswer,
  decodeDeliverRequest,
  encodeDeliverAnswer,
  encodeDeliverRequest,
} from '../../src/base/wire/deliver.ts'
import {
  encodeEnvelopeHeader,
  envelopeBytesMin,
  parseEnvelopeHeader,
} from '../../src/base/wire/envelope.ts'
import { encodeFrame, FrameDecoder, frameType } from '../../src/base/wire/frame.ts'
import {
  helloBodyShape,
  letterShape,
  readBodyShape,
  shareBodyShape,
  textBodyShape,
} from '../../src/base/wire/letter.ts'
import {
  encodePlainSlot,
  identitySlotShape,
  parsePlainSlot,
  plainSlotKind,
} from '../../src/base/wire/plain-slot.ts'
import {
  decodePullerMessage,
  decodeSourceMessage,
  encodePullerMessage,
  encodeSourceMessage,
} from '../../src/base/wire/sync.ts'
import {
  decodeTimeAnswer,
  decodeTimeRequest,
  encodeTimeAnswer,
  encodeTimeRequest,
} from '../../src/base/wire/time-call.ts'
import { joinLinkShape } from '../../src/base/wire/join.ts'
import {
  decodePairAnswer,
  decodePairRequest,
  encodePairAnswer,
  encodePairRequest,
  peerCodeShape,
} from '../../src/base/wire/pair.ts'
import {
  decodeMoveAnswer,
  decodeMoveRequest,
  encodeMoveAnswer,
  encodeMoveRequest,
} from '../../src/base/wire/move.ts'
import {
  acknowledgementShape,
  contactLinkShape,
  deviceCertificateShape,
  doorShape,
  hostShape,
  identityDocumentShape,
  mailboxRecordShape,
  receiptShape,
} from '../../src/base/wire/records.ts'
import {
  decodePutAnswer,
  decodeRecordRequest,
  encodePutAnswer,
  encodeRecordRequest,
} from '../../src/base/wire/record-call.ts'
import { decodeShape, type Shape } from '../../src/base/wire/shape.ts'
import { encodeSlotHeader, parseSlotHeader, slotClass } from '../../src/base/wire/slot.ts'

export interface WireSample {
  readonly name: string
  readonly value: unknown
  readonly bytes: Uint8Array
  /** Gives `value` back. @throws {AbzuError} for anything that is not its layout */
  readonly decode: (bytes: Uint8Array) => unknown
}

/** `length` bytes that count up from `first`. */
function counting(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)
}

function shaped<T extends WireValue>(name: string, shape: Shape<T>, value: T): WireSample {
  return { name, value, bytes: encode(value), decode: (bytes) => decodeShape(shape, bytes, name) }
}

const host = {
  peerId: '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp',
  role: 'home' as const,
  addresses: ['/ip4/192.0.2.7/tcp/4180', '/ip6/2001:db8::7/tcp/4180'],
}
const returnAddress = { record: counting(200, 9), token: counting(32, 7) }

/** Every signed or sealed record, by its shape. */
export const recordSamples: readonly WireSample[] = [
  shaped('device certificate', deviceCertificateShape, {
    v: 1,
    account: counting(32),
    signPk: counting(32, 1),
    sealPkHash: counting(32, 2),
    caps: 1,
    docSeq: 3,
  }),
  shaped('identity document', identityDocumentShape, {
    v: 1,
    account: counting(32),
    seq: 4,
    devices: [counting(32, 1), counting(32, 2)],
    revoked: [counting(32, 3)],
  }),
  shaped('host', hostShape, host),
  shaped('mailbox record', mailboxRecordShape, {
    v: 1,
    account: counting(32),
    seq: 2 ** 40 + 1,
    notBeforeHours: 490_000,
    notAfterHours: 499_600,
    suites: [1],
    prekey: counting(1216),
    priorKeys: [{ keyId: counting(8), untilHours: 490_100 }],
    hosts: [host, { peerId: host.peerId, role: 'former' }],
    stampBits: 0,
    deviceCertificate: counting(180),
  }),
  shaped('receipt', receiptShape, {
    v: 1,
    as: 'home',
    ids: counting(64),
    holdUntilHours: 490_720,
  }),
  shaped('door', doorShape, {
    v: 1,
    id: counting(8),
    key: counting(32),
    uses: 5,
    untilHours: 2 ** 32 - 1,
    pool: 'request',
  }),
  shaped('acknowledgement', acknowledgementShape, { v: 1, day: 20_416, ids: counting(48) }),
  shaped('contact link', contactLinkShape, { v: 1, home: host, token: counting(32) }),
  shaped('identity slot', identitySlotShape, {
    document: counting(120),
    certificates: [counting(180)],
    sealPks: [counting(1216)],
  }),
  shaped('letter', letterShape, {
    v: 1,
    from: counting(32),
    deviceCertificate: counting(180),
    msgId: counting(16),
    sentAt: 1_767_268_800_000,
    type: 'text',
    body: counting(30),
    recordSeq: 2,
  }),
  shaped('text body', textBodyShape, { text: 'Grüße 👋\nB', name: 'Åsa', returnAddress }),
  shaped('hello body', helloBodyShape, { name: 'Åsa', returnAddress }),
  shaped('read body', readBodyShape, { msgIds: [counting(16), counting(16, 1)] }),
  shaped('share body', shareBodyShape, { share: counting(49), name: 'Åsa', returnAddress }),
]

const request = {
  requestId: 7,
  mailbox: counting(32),
  doorId: counting(8),
  proof: counting(16),
  envelope: counting(40),
}
const stamped = {
  requestId: 8,
  mailbox: counting(32),
  stamp: counting(8),
  envelope: counting(40),
}
const receiptAnswer = {
  kind: 'receipt' as const,
  requestIds: [7, 8, 2 ** 32 - 1],
  statement: counting(100),
}
const refusal = {
  kind: 'refused' as const,
  requestId: 9,
  error: 4,
  retryAfterMs: 1500,
  record: counting(70),
}

/** Messages of the delivery stream. */
export const deliverSamples: readonly WireSample[] = [
  {
    name: 'delivery',
    value: request,
    bytes: encodeDeliverRequest(request),
    decode: decodeDeliverRequest,
  },
  {
    name: 'stamped delivery',
    value: stamped,
    bytes: encodeDeliverRequest(stamped),
    decode: decodeDeliverRequest,
  },
  {
    name: 'delivery receipt',
    value: receiptAnswer,
    bytes: encodeDeliverAnswer(receiptAnswer),
    decode: decodeDeliverAnswer,
  },
  {
    name: 'delivery refusal',
    value: refusal,
    bytes: encodeDeliverAnswer(refusal),
    decode: decodeDeliverAnswer,
  },
]

const recordRequests = {
  'record request': { kind: 'get' as const, mailbox: counting(32) },
  'record offer': { kind: 'put' as const, record: counting(80) },
}
const putAnswers = {
  'record held': { kind: 'held' as const },
  'record stale': { kind: 'stale' as const, record: counting(80, 1) },
  'record fork': { kind: 'fork' as const, record: counting(80, 2) },
}

/** Messages of the directory. */
export const recordCallSamples: readonly WireSample[] = [
  ...Object.entries(recordRequests).map(([name, value]) => ({
    name,
    value,
    bytes: encodeRecordRequest(value),
    decode: decodeRecordRequest,
  })),
  ...Object.entries(putAnswers).map(([name, value]) => ({
    name,
    value,
    bytes: encodePutAnswer(value),
    decode: decodePutAnswer,
  })),
]

const copied = {
  mail: {
    kind: 'mail' as const,
    expiresAtHours: 490_720,
    pool: 1,
    signed: counting(0),
    body: counting(40),
  },
  chunk: {
    kind: 'chunk' as const,
    expiresAtHours: 0,
    pool: 0,
    signed: counting(0),
    body: counting(9),
  },
  slot: {
    kind: 'slot' as const,
    expiresAtHours: 0,
    pool: 0,
    signed: counting(190),
    body: counting(5),
  },
}
const set = { count: 3, sum: counting(32, 5) }
const pullerMessages = {
  'sync hello': { kind: 'hello' as const, epoch: counting(16), upTo: 2 ** 40, set },
  'sync hello, first': { kind: 'hello' as const, epoch: counting(0), upTo: 0, set },
  'sync appeal': { kind: 'appeal' as const, mailbox: counting(32) },
  'sync claim': {
    kind: 'claim' as const,
    rootPk: counting(32),
    certificate: counting(180),
    signature: counting(64),
  },
  'sync members': { kind: 'members' as const, bits: counting(2, 128) },
  'sync introduction': {
    kind: 'introduce' as const,
    rootPk: counting(32),
    slots: [copied.slot, copied.slot],
  },
  'sync want': { kind: 'want' as const, offer: 7, bits: counting(1, 192) },
  'sync done': { kind: 'done' as const, offer: 2 ** 32 - 1 },
  'sync survey': { kind: 'survey' as const, from: 4096 },
  'sync probe': {
    kind: 'probe' as const,
    mailbox: counting(32),
    depth: 12 as const,
    prefixes: [0, 4095],
  },
  'sync fetch': { kind: 'fetch' as const, mailbox: counting(32), ids: counting(32) },
}
const sourceMessages = {
  'sync welcome': { kind: 'welcome' as const, epoch: counting(16), isSame: true },
  'sync challenge': { kind: 'challenge' as const, nonce: counting(32) },
  'sync list': { kind: 'shared' as const, isFirst: true, isLast: false, roots: counting(64) },
  'sync extent': { kind: 'extent' as const, items: 1000, bytes: 2 ** 33 },
  'sync offer': { kind: 'offer' as const, offer: 7, mailbox: counting(32), ids: counting(48) },
  'sync items': {
    kind: 'items' as const,
    offer: 7,
    isLast: true,
    items: [copied.mail, copied.chunk, copied.slot],
  },
  'sync sums': { kind: 'sums' as const, sums: counting(40) },
  'sync mark': { kind: 'mark' as const, upTo: 41, set, items: { count: 9, sum: counting(32, 6) } },
}

/** Messages of the sync stream. */
export const syncSamples: readonly WireSample[] = [
  ...Object.entries(pullerMessages).map(([name, value]) => ({
    name,
    value,
    bytes: encodePullerMessage(value),
    decode: decodePullerMessage,
  })),
  ...Object.entries(sourceMessages).map(([name, value]) => ({
    name,
    value,
    bytes: joinBytes(encodeSourceMessage(value)),
    decode: decodeSourceMessage,
  })),
]

const envelopeHeader = { suite: 1, keyId: counting(8), expiresAtHours: 490_720 }
const slotHeader = {
  class: slotClass.sealed,
  mailbox: counting(32),
  key: counting(20, 1),
  version: 2 ** 50 + 3,
  bodyHash: counting(32, 2),
  device: counting(32, 3),
}

/** Fixed layouts: the host's part of an envelope, a slot's header, the body of a plain slot. */
export const layoutSamples: readonly WireSample[] = [
  {
    name: 'envelope header',
    value: envelopeHeader,
    bytes: Buffer.concat([
      encodeEnvelopeHeader(envelopeHeader),
      new Uint8Array(envelopeBytesMin - 14),
    ]),
    decode: parseEnvelopeHeader,
  },
  {
    name: 'slot header',
    value: slotHeader,
    bytes: Buffer.concat([encodeSlotHeader(slotHeader), counting(64)]),
    decode: (bytes) => parseSlotHeader(bytes).header,
  },
  ...Object.entries(plainSlotKind).map(([name, kind]) => ({
    name: `plain slot, ${name}`,
    value: { kind, content: counting(5) },
    bytes: encodePlainSlot(kind, counting(5)),
    decode: parsePlainSlot,
  })),
]

/** One frame of each type. */
export const frameSamples: readonly WireSample[] = Object.entries(frameType).map(([name, type]) => {
  const payload = { data: counting(9), credit: counting(4), end: [], ping: [], error: counting(2) }
  const value = { type, payload: Uint8Array.from(payload[name as keyof typeof payload]) }
  return {
    name: `${name} frame`,
    value,
    bytes: encodeFrame(value.type, value.payload),
    decode: (bytes) => new FrameDecoder().push(bytes)[0],
  }
})

const plain = { a: [1, -1, 2 ** 40, null, true], ü: { b: 'text', c: counting(3) } }

/** A value of the encoding itself. */
export const codecSample: WireSample = {
  name: 'value',
  value: plain,
  bytes: encode(plain),
  decode,
}

/** The calls that are asked now and then. */
const callSamples: readonly WireSample[] = [
  {
    name: 'time request',
    value: undefined,
    bytes: encodeTimeRequest(),
    decode: decodeTimeRequest,
  },
  ...[true, false].map((isSure) => ({
    name: `time answer, ${isSure ? 'sure' : 'in doubt'}`,
    value: { isSure, nowMs: 1_767_268_800_000 },
    bytes: encodeTimeAnswer({ isSure, nowMs: 1_767_268_800_000 }),
    decode: decodeTimeAnswer,
  })),
]

const pairRequest = {
  token: counting(16),
  name: 'Åsas Kiste',
  quotaBytes: 10_000_000_000,
  addresses: host.addresses,
}
const pairRequests = {
  'pair request': pairRequest,
  'pair request, without addresses': { ...pairRequest, addresses: [] },
}
const pairAnswer = { name: 'Bobs box', quotaBytes: 500_000_000 }
const peerCode = {
  v: 1 as const,
  peerId: host.peerId,
  addresses: host.addresses,
  token: counting(16),
  expiresAtHours: 490_720,
}

/** Two nodes that come to trust each other. */
export const pairSamples: readonly WireSample[] = [
  ...Object.entries(pairRequests).map(([name, value]) => ({
    name,
    value,
    bytes: encodePairRequest(value),
    decode: decodePairRequest,
  })),
  {
    name: 'pair answer',
    value: pairAnswer,
    bytes: encodePairAnswer(pairAnswer),
    decode: decodePairAnswer,
  },
  shaped('peer code', peerCodeShape, peerCode),
  shaped('join link', joinLinkShape, { ...peerCode, role: 'child' as const }),
]

const comingAccount = {
  v: 1 as const,
  rootPk: counting(32),
  name: 'Åsa',
  certificate: counting(260),
  recoveryPk: counting(1216),
  wrappedDevice: counting(130),
}
const nextHome = { v: 1 as const, addresses: host.addresses }

/** An account that is to live at another node. */
export const moveSamples: readonly WireSample[] = [
  {
    name: 'coming account',
    value: comingAccount,
    bytes: encodeMoveRequest(comingAccount),
    decode: decodeMoveRequest,
  },
  {
    name: 'move answer',
    value: nextHome,
    bytes: encodeMoveAnswer(nextHome),
    decode: decodeMoveAnswer,
  },
]

export const wireSamples: readonly WireSample[] = [
  codecSample,
  ...frameSamples,
  ...layoutSamples,
  ...deliverSamples,
  ...recordSamples,
  ...recordCallSamples,
  ...callSamples,
  ...syncSamples,
  ...pairSamples,
  ...moveSamples,
]
