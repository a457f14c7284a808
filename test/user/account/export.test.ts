/** What an account is in a file, and what is no such file. */

import t from 'tap'
import { openKeyringItem } from '../../../src/base/crypto/keyring.ts'
import { concatBytes, equalBytes, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import type { CopiedItem } from '../../../src/base/wire/copied-item.ts'
import { encodeExportFrame, encodeExportMagic, exportFrame } from '../../../src/base/wire/export.ts'
import { parsePlainSlot, plainSlotKind } from '../../../src/base/wire/plain-slot.ts'
import { parseSlotHeader, slotClass } from '../../../src/base/wire/slot.ts'
import { forged, gathered, judged, lived, partsOf, plainExport } from '../../support/exporting.ts'
import { collect, World } from '../../support/household.ts'
import { mailboxOn } from '../../support/recovering.ts'

t.test('everything that the mailbox holds is in it, once', async (t) => {
  const { world, alice } = await lived()
  alice.node.isOnline = true
  const plain = await plainExport(world, alice)
  const { manifest, items } = await partsOf(plain)
  const mailbox = mailboxOn(alice.node)
  t.equal(items.length, mailbox.slotsOnDisk.size + mailbox.mailOnDisk.length)
  t.ok(items.length > 10)
  t.same(
    items
      .filter(({ kind }) => kind === 'slot')
      .map(({ signed }) => toHex(signed))
      .sort(),
    [...mailbox.slotsOnDisk.values()].map(({ signed }) => toHex(signed)).sort(),
  )
  t.equal(manifest.name, 'alice')
  t.ok(equalBytes(manifest.account, mailbox.rootPk))
  const keyring = items.filter(
    ({ signed, body }) =>
      signed.length > 0 &&
      parseSlotHeader(signed).header.class === slotClass.plain &&
      body.length > 0 &&
      parsePlainSlot(body).kind === plainSlotKind.keyring,
  )
  t.ok(keyring.length >= 3)
  for (const { body } of keyring) {
    const { content } = parsePlainSlot(body)
    await openKeyringItem(world.platform, content, manifest.device.sealSeed)
  }
  const whole = await judged(world.platform, plain)
  t.equal(whole.items, items.length)
  t.equal(whole.introduction.length, 2)
})

t.test('a lock ends an export', async (t) => {
  const { world, alice } = await lived()
  const chunks = alice.member.exported({ carriage: world.carriage(alice.node) })
  await chunks.next()
  await chunks.next()
  await alice.manager.lock('alice')
  await t.rejects(collect(chunks), { code: 'ABZU_LOCKED' })
  const late = alice.member.exported({ carriage: world.carriage(alice.node) })
  await t.rejects(collect(late), { code: 'ABZU_LOCKED' })
})

t.test('who leaves early takes no keys away', async (t) => {
  const { world, alice } = await lived()
  const chunks = alice.member.exported({ carriage: world.carriage(alice.node) })
  await chunks.next()
  await chunks.return(undefined)
  const { state } = await alice.member.messages.send({ to: 'bob', text: 'its own are there' })
  t.equal(state, 'queued')
})

t.test('cut off between any two frames, and inside each', async (t) => {
  const { world, alice } = await lived()
  const chunks = await collect(alice.member.exported({ carriage: world.carriage(alice.node) }))
  t.ok(chunks.length >= 4)
  const invalid = { code: 'ABZU_EXPORT_INVALID' }
  let cuts = 0
  for (let n = 0; n < chunks.length; n++) {
    const before = concatBytes(...chunks.slice(0, n))
    const inside = chunks[n]!.subarray(0, chunks[n]!.length >> 1)
    await t.rejects(judged(world.platform, before), invalid, `before part ${n}`)
    await t.rejects(judged(world.platform, concatBytes(before, inside)), invalid, `in part ${n}`)
    cuts += 2
  }
  t.ok(cuts >= 8)
  await judged(world.platform, concatBytes(...chunks))
})

t.test('I27: any bit that is changed', async (t) => {
  const { world, alice } = await lived()
  const plain = await plainExport(world, alice)
  let found = 0
  for (let at = 0; at < plain.length; at += 97) {
    const changed = Uint8Array.from(plain)
    changed[at]! ^= 1 << (at % 8)
    const code = await judged(world.platform, changed).then(
      () => 'whole',
      (error: { code: string }) => error.code,
    )
    const isNewer = code === 'ABZU_EXPORT_NEWER' && at < encodeExportMagic().length
    if (code === 'ABZU_EXPORT_INVALID' || isNewer) found++
    else t.fail(`byte ${at}: ${code}`)
  }
  t.ok(found > 100, `${found} changes`)
})

t.test('a newer format is named', async (t) => {
  const { world, alice } = await lived()
  const rest = (await plainExport(world, alice)).subarray(encodeExportMagic().length)
  const newer = { code: 'ABZU_EXPORT_NEWER' }
  for (const version of ['2', '9', '10', '99999']) {
    const first = utf8(`abzu-export/${version}\n`)
    await t.rejects(judged(world.platform, concatBytes(first, rest)), newer, version)
    await t.rejects(judged(world.platform, first), newer, `${version}, of another shape`)
  }
  const invalid = { code: 'ABZU_EXPORT_INVALID' }
  for (const version of ['0', '01', '-1', '', '1.5', '123456', '1 ', '1\r', 'x']) {
    const first = utf8(`abzu-export/${version}\n`)
    await t.rejects(judged(world.platform, concatBytes(first, rest)), invalid, version)
  }
})

t.test('I27: what a forger changes who holds the keys of one account', async (t) => {
  const { world, alice, bob } = await lived()
  bob.node.isOnline = true
  const { platform } = world
  const parts = await partsOf(await plainExport(world, alice))
  const other = await partsOf(await plainExport(world, bob))
  const { manifest, items } = parts
  await judged(platform, forged(platform, parts))
  const [identity, record, slot, next] = items as [CopiedItem, CopiedItem, CopiedItem, CopiedItem]
  const rest = items.slice(2)
  const mail = other.items.find(({ kind }) => kind === 'mail') ?? {
    ...slot,
    kind: 'mail' as const,
    signed: new Uint8Array(),
    pool: 1,
  }
  const isOf = (kind: number) => (item: CopiedItem) =>
    item.signed.length > 0 &&
    parseSlotHeader(item.signed).header.class === slotClass.plain &&
    item.body[0] === kind
  const hostile: Record<string, readonly CopiedItem[]> = {
    nothing: [],
    'no identity': items.slice(1),
    'no record': [identity, ...rest],
    'the record first': [record, identity, ...rest],
    'the identity twice': [identity, identity, record, ...rest],
    'the identity again': [...items, identity],
    'an item twice': [...items, slot],
    'mail twice': [...items, mail, mail],
    'a slot of another account': [...items, other.items[3]!],
    'all of another account': other.items,
    'the identity of another account': [other.items[0]!, record, ...rest],
    'the record of another account': [identity, other.items[1]!, ...rest],
    'a slot with the body of another': [
      identity,
      record,
      { ...slot, body: next.body },
      ...items.slice(3),
    ],
    'a slot that ends': [identity, record, { ...slot, expiresAtHours: 1 }],
    'a slot in a room for mail': [identity, record, { ...slot, pool: 1 }],
    'a slot without a header': [identity, record, { ...slot, signed: new Uint8Array() }],
    'half a header': [identity, record, { ...slot, signed: slot.signed.subarray(0, 100) }],
    'mail with a header': [...items, { ...mail, signed: slot.signed }],
    'mail in the room of its owner': [...items, { ...mail, pool: 0 }],
    'mail of nothing': [...items, { ...mail, body: new Uint8Array() }],
    'mail that is no envelope': [...items, { ...mail, body: utf8('../../etc/passwd') }],
    'a chunk of nothing': [...items, { ...mail, kind: 'chunk', body: new Uint8Array() }],
    'mail first': [mail, ...items],
    'no vault key and no name key': items.filter((item) => !isOf(plainSlotKind.keyring)(item)),
    'a slot whose signature is another': [
      identity,
      record,
      { ...slot, signed: concatBytes(slot.signed.subarray(0, 126), next.signed.subarray(126)) },
      ...items.slice(3),
    ],
  }
  const invalid = { code: 'ABZU_EXPORT_INVALID' }
  for (const [what, list] of Object.entries(hostile)) {
    await t.rejects(judged(platform, forged(platform, { manifest, items: list })), invalid, what)
  }
  t.ok(Object.keys(hostile).length >= 20)
})

t.test('a manifest that is no manifest', async (t) => {
  const { world, alice, bob } = await lived()
  bob.node.isOnline = true
  const { platform } = world
  const parts = await partsOf(await plainExport(world, alice))
  const other = await partsOf(await plainExport(world, bob))
  const { manifest } = parts
  const { device } = manifest
  const hostile: Record<string, object> = {
    'a role': { ...manifest, role: 'admin' },
    'another role': { ...manifest, device: { ...device, role: 'admin' } },
    'a name like a path': { ...manifest, name: '../../../etc/passwd\n' },
    'a name like an address': { ...manifest, name: 'abzu1alice' },
    'a name of nothing': { ...manifest, name: '' },
    'a name of control characters': { ...manifest, name: '\u001b[2Jalice' },
    'a name of two lines': { ...manifest, name: 'alice\nadmin' },
    'a name with room around it': { ...manifest, name: ' alice ' },
    'a name that turns round': { ...manifest, name: '\u202ealice' },
    'a name without an end': { ...manifest, name: 'a'.repeat(5000) },
    'a name that is a number': { ...manifest, name: 7 },
    'more items than any account has': { ...manifest, items: 2 ** 40 },
    'more bytes than any account has': { ...manifest, bytes: 2 ** 50 },
    'fewer than none': { ...manifest, items: -1 },
    'half an item': { ...manifest, items: 0.5 },
    'another account': { ...manifest, account: other.manifest.account },
    'a short account': { ...manifest, account: manifest.account.subarray(1) },
    'the device of another account': { ...manifest, device: other.manifest.device },
    'the keys of another device': {
      ...manifest,
      device: { ...device, signSeed: other.manifest.device.signSeed },
    },
    'another seal key': { ...manifest, device: { ...device, sealSeed: new Uint8Array(32) } },
    'no certificate': { ...manifest, device: { ...device, certificate: new Uint8Array(64) } },
    'no device': { ...manifest, device: null },
    'a short recovery key': { ...manifest, recoveryPk: manifest.recoveryPk.subarray(1) },
    'no recovery key': Object.fromEntries(
      Object.entries(manifest).filter(([name]) => name !== 'recoveryPk'),
    ),
    'a list': [manifest],
    nothing: {},
  }
  for (const [what, written] of Object.entries(hostile)) {
    const file = forged(platform, parts, written)
    await t.rejects(judged(platform, file), { code: 'ABZU_EXPORT_INVALID' }, what)
  }
  t.ok(Object.keys(hostile).length >= 25)
})

t.test('frames that are none', async (t) => {
  const { world, alice } = await lived()
  const { platform } = world
  const plain = await plainExport(world, alice)
  const chunks = await collect(alice.member.exported({ carriage: world.carriage(alice.node) }))
  const [magic, manifest, items] = chunks as [Uint8Array, Uint8Array, Uint8Array]
  const end = chunks.at(-1) as Uint8Array
  const frame = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
  const hostile: Record<string, Uint8Array> = {
    'a frame of no length': concatBytes(magic, frame(0, 0, 0, 0, 1)),
    'a frame without an end': concatBytes(magic, frame(0xff, 0xff, 0xff, 0xff, 1)),
    'a frame of a type to come': concatBytes(magic, frame(0, 0, 0, 1, 9)),
    'type nought': concatBytes(magic, frame(0, 0, 0, 1, 0)),
    'items before the manifest': concatBytes(magic, items, manifest, end),
    'two manifests': concatBytes(magic, manifest, manifest, items, end),
    'two ends': concatBytes(plain, end),
    'something behind the end': concatBytes(plain, utf8('x')),
    'items behind the end': concatBytes(plain, items),
    'an end at once': concatBytes(magic, end),
    'an end without items': concatBytes(magic, manifest, end),
    'items twice': concatBytes(magic, manifest, items, ...chunks.slice(2)),
    'another export behind it': concatBytes(plain, plain),
    'an export inside it': concatBytes(magic, encodeExportFrame(exportFrame.items, plain)),
    'an age file inside it': utf8('age-encryption.org/v1\n-> scrypt AAAA 10\n'),
    'items of no list': concatBytes(
      magic,
      manifest,
      encodeExportFrame(exportFrame.items, utf8('x')),
    ),
    'no items': concatBytes(magic, manifest, encodeExportFrame(exportFrame.items, frame())),
    'no end': concatBytes(magic, manifest, items),
    'an end of nothing': concatBytes(
      magic,
      manifest,
      items,
      encodeExportFrame(exportFrame.end, frame()),
    ),
    'no first line': plain.subarray(magic.length),
    nothing: frame(),
  }
  for (const [what, file] of Object.entries(hostile)) {
    await t.rejects(judged(platform, file), { code: 'ABZU_EXPORT_INVALID' }, what)
  }
  t.ok(Object.keys(hostile).length >= 20)
  t.ok((await gathered(alice.member.exported({ carriage: world.carriage(alice.node) }))).length > 0)
})

t.test('no more is held than a frame', async (t) => {
  const world = new World()
  let read = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield encodeExportMagic()
    for (;;) {
      read += 60_000
      yield new Uint8Array(60_000).fill(0xff)
    }
  }
  const { judgeExport } = await import('../../../src/user/account/export-reader.ts')
  const signal = new AbortController().signal
  const judging = judgeExport(world, endless, { found: () => undefined, signal })
  await t.rejects(judging, { code: 'ABZU_EXPORT_INVALID' })
  t.ok(read < 2 ** 20, `${read} bytes`)
})
