import t from 'tap'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { noteRecipientsMax, openNote, sealNote } from '../../../src/base/crypto/sealed-note.ts'
import { concatBytes, utf8 } from '../../../src/base/util/bytes.ts'

const node = nodePlatform()
const noble = noblePlatform({ random: (length) => node.random(length) })
const seeds = [1, 2, 3].map((value) => new Uint8Array(32).fill(value))
const [first, second, stranger] = seeds as [Uint8Array, Uint8Array, Uint8Array]
const recipients = [first, second].map((seed) => node.kem.publicKey(seed))
const context = utf8('what it is about')
const broken = { code: 'ABZU_SEAL_BROKEN' }

t.test('each device opens it, on each platform, and nobody else', async (t) => {
  for (const plain of [new Uint8Array(), new Uint8Array(32).fill(9), new Uint8Array(999)]) {
    for (const [sealer, opener] of [
      [node, noble],
      [noble, node],
    ] as const) {
      const note = await sealNote(sealer, { recipients, context, plain })
      t.equal(note.length, 2 + 2 * (8 + 1120 + 16 + plain.length))
      for (const seed of [first, second]) {
        t.same(await openNote(opener, { note, context, seed }), plain)
      }
      await t.rejects(openNote(opener, { note, context, seed: stranger }), broken)
    }
  }
})

t.test('it opens under its own context only', async (t) => {
  const note = await sealNote(node, { recipients, context, plain: utf8('x') })
  for (const other of [utf8(''), utf8('what it is abou'), concatBytes(context, utf8('t'))]) {
    await t.rejects(openNote(node, { note, context: other, seed: first }), broken)
  }
})

t.test('what is no note', async (t) => {
  const note = await sealNote(node, { recipients, context, plain: utf8('x') })
  for (let length = 0; length < note.length; length += 37) {
    const cut = note.subarray(0, length)
    await t.rejects(openNote(node, { note: cut, context, seed: first }), /note|seal/, `${length}`)
  }
  for (const [at, value] of [
    [0, 2],
    [1, 0],
    [1, 1],
    [1, 3],
    [1, 33],
    [1, 255],
  ] as const) {
    const changed = note.slice()
    changed[at] = value
    const opening = openNote(node, { note: changed, context, seed: first })
    await t.rejects(opening, /note|seal/, `${at} ${value}`)
  }
  for (let at = 2; at < note.length; at += 97) {
    const changed = note.slice()
    changed[at] = (changed[at] as number) ^ 1
    const ends = await Promise.allSettled(
      [first, second].map((seed) => openNote(node, { note: changed, context, seed })),
    )
    t.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1, `changed at ${at}`)
  }
})

t.test('for nobody, and for too many', async (t) => {
  const key = recipients[0] as Uint8Array
  const many = Array.from({ length: noteRecipientsMax + 1 }, () => key)
  for (const wrong of [[], many]) {
    const sealing = sealNote(node, { recipients: wrong, context, plain: utf8('x') })
    await t.rejects(sealing, { code: 'ABZU_INVALID_ARGUMENT' })
  }
  const sealing = sealNote(node, { recipients: [new Uint8Array(7)], context, plain: utf8('x') })
  await t.rejects(sealing, { code: 'ABZU_MALFORMED' })
})
