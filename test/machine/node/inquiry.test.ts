/** Who is asked when, and which answer is believed. */

import t from 'tap'
import { verifyMailboxRecord } from '../../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import type { Host } from '../../../src/base/wire/records.ts'
import { defaultDirectoryLimits } from '../../../src/machine/node/directory-limits.ts'
import { Inquiry, type KnownPlace } from '../../../src/machine/node/inquiry.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { RecordSigner } from '../../support/record-signer.ts'
import { MemoryLog } from '../../support/transports.ts'

const platform = nodePlatform()

type Reply = Uint8Array | 'none' | 'silence' | 'gone' | { afterMs: number; record: Uint8Array }

interface Search {
  readonly hosts?: readonly Reply[]
  readonly known?: readonly Reply[]
  readonly found?: readonly Reply[]
  readonly remembered?: Uint8Array
  readonly floor?: KnownPlace
}

/** Runs one search; `asked` grows as somebody is asked. */
function search(init: Search) {
  const time = new ManualTime()
  const log = new MemoryLog()
  const asked: string[] = []
  const limits = defaultDirectoryLimits
  const inquiry = new Inquiry(
    { platform, scheduler: time, limits, log },
    { mailbox: account.mailbox, known: init.floor ?? {} },
  )
  if (init.remembered) inquiry.remember(init.remembered)
  const reply = async (name: string, answer: Reply): Promise<Uint8Array> => {
    asked.push(name)
    if (answer instanceof Uint8Array) return answer
    if (answer === 'none') throw new AbzuError('ABZU_NOT_FOUND', 'not here')
    if (answer === 'gone') throw new AbzuError('ABZU_UNREACHABLE', 'not there')
    if (answer === 'silence') return new Promise(() => undefined)
    const { afterMs, record } = answer
    return new Promise((resolve) => time.after(afterMs, () => resolve(record)))
  }
  const peers = (kind: 'known' | 'found') =>
    (init[kind] ?? []).map((_, n) => ({ peerId: `${kind} ${n}` as PeerId, addresses: [] }))
  const result = inquiry.run({
    hosts: (init.hosts ?? []).map((_, n): Host => ({ peerId: `host ${n}`, role: 'home' })),
    askHost: async ({ peerId }) =>
      reply(peerId, init.hosts?.[Number(peerId.split(' ')[1])] as Reply),
    async *nearby({ patience, signal }) {
      yield peers('known')
      await patience
      if (signal.aborted) return
      asked.push('lookup')
      yield peers('found')
    },
    ask: async ({ peerId }) => {
      const [kind, n] = peerId.split(' ')
      return reply(peerId, init[kind as 'known' | 'found']?.[Number(n)] as Reply)
    },
  })
  result.catch(() => undefined)
  const seq = async () => verifyMailboxRecord(platform, await result).record.seq
  return { time, log, asked, result, seq }
}

const account = new RecordSigner(platform, { seed: 1, nowMs: new ManualTime().nowMs() })
const other = new RecordSigner(platform, { seed: 2, nowMs: new ManualTime().nowMs() })
const at = (seq: number) => account.record({ seq })

t.test('a named host that answers is enough', async (t) => {
  const { seq, asked } = search({ hosts: ['silence', at(4)], known: [at(5)] })
  t.equal(await seq(), 4)
  t.same(asked, ['host 0', 'host 1'])
})

t.test('a silent host holds up for a second', async (t) => {
  const { seq, time, asked } = search({ hosts: ['silence'], known: [at(1), at(3), at(2)] })
  await time.advance(999)
  t.same(asked, ['host 0'])
  await time.advance(1)
  t.equal(await seq(), 3, 'the newest of three')
  t.notOk(asked.includes('lookup'), 'who is known was enough')
})

t.test('without hosts, those that a lookup finds where the known do not say enough', async (t) => {
  const late = { afterMs: 10, record: at(9) }
  const { seq, asked } = search({ known: ['none', 'gone'], found: [at(2), at(7), at(7), late] })
  t.equal(await seq(), 7)
  t.same(asked.slice(0, 3), ['known 0', 'known 1', 'lookup'])
})

t.test('who is known and silent is waited for a second', async (t) => {
  const { time, asked, seq } = search({ known: ['silence'], found: [at(1), at(1), at(1)] })
  await time.advance(999)
  t.notOk(asked.includes('lookup'))
  await time.advance(1)
  t.equal(await seq(), 1)
})

t.test('fewer than three answers are waited for three seconds', async (t) => {
  const late = { afterMs: 2900, record: at(8) }
  const tooLate = { afterMs: 5000, record: at(9) }
  const { time, seq, result } = search({ known: [at(2), late, tooLate] })
  let isDone = false
  void result.then(() => (isDone = true))
  await time.advance(2999)
  t.notOk(isDone)
  await time.advance(1)
  t.equal(await seq(), 8)
})

t.test('what others signed, what is damaged and what is older is no answer', async (t) => {
  const damaged = at(9)
  damaged[70] = (damaged[70] as number) ^ 1
  const lies = [other.record({ seq: 50 }), damaged, at(4), new Uint8Array(100)]
  const floor = { docSeq: 1, seq: 5 }
  const found = search({ known: [...lies, at(5)], floor })
  await found.time.advance(5000)
  t.equal(await found.seq(), 5)
  const none = search({ known: lies, floor })
  await none.time.advance(5000)
  await t.rejects(none.result, { code: 'ABZU_NOT_FOUND' })
  const hosted = search({ hosts: [at(4)], known: [at(6)], floor })
  await hosted.time.advance(5000)
  t.equal(await hosted.seq(), 6, 'a named host is believed no more than others')
  const revoked = search({
    known: [at(99), account.record({ seq: 6, docSeq: 2 })],
    floor: { docSeq: 2, seq: 6 },
  })
  await revoked.time.advance(5000)
  t.equal(await revoked.seq(), 6)
})

t.test('what is remembered is a candidate, and no answer', async (t) => {
  const newer = search({ known: [at(2), at(3), at(1)], remembered: at(6) })
  t.equal(await newer.seq(), 6)
  const alone = search({ remembered: at(6), known: ['gone'] })
  await alone.time.advance(10_000)
  t.equal(await alone.seq(), 6)
})

t.test('nobody, nobody who knows, nobody in time', async (t) => {
  const gone = search({ hosts: ['gone'], known: ['gone'], found: ['gone'] })
  await t.rejects(gone.result, { code: 'ABZU_UNREACHABLE' })
  const none = search({ hosts: ['gone'], known: ['none'], found: ['gone'] })
  await t.rejects(none.result, { code: 'ABZU_NOT_FOUND' })
  const silent = search({ hosts: ['silence'], known: ['silence'], found: ['silence'] })
  await silent.time.advance(10_000)
  await t.rejects(silent.result, { code: 'ABZU_UNREACHABLE' })
  t.equal(silent.time.pending, 0)
})

t.test('a fork is written down', async (t) => {
  const fork = account.record({ seq: 3, changes: { stampBits: 2 } })
  const { log, seq } = search({ known: [at(3), fork, at(3)] })
  t.equal(await seq(), 3)
  t.ok(log.events('warn').includes('record-fork'))
})
