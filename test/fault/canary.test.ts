/** Everybody is locked: what of them does a node still hold, and where? */

import { join } from 'node:path'
import t from 'tap'
import { mailboxIdOf } from '../../src/base/crypto/address.ts'
import { openKeyringItem } from '../../src/base/crypto/keyring.ts'
import { parseContactLink } from '../../src/base/crypto/link.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { entropyOfWords, rootKeysOf } from '../../src/base/crypto/words.ts'
import { utf8 } from '../../src/base/util/bytes.ts'
import { parsePlainSlot, plainSlotKind } from '../../src/base/wire/plain-slot.ts'
import { slotClass } from '../../src/base/wire/slot.ts'
import { decodeAccountRow, unwrapDevice } from '../../src/user/account/account-row.ts'
import type { AbzuClient } from '../../src/surface/client/client.ts'
import { CanaryScanner, textCanary, type Canary, type Finding } from '../support/canary-scan.ts'
import { collect, openTestStore } from '../support/store-content.ts'
import { WatchedDaemon } from '../support/watched-daemon.ts'

const platform = nodePlatform()
const roles = ['admin', 'adult', 'child'] as const

interface Person {
  readonly id: string
  readonly name: string
  readonly password: string
  readonly client: AbzuClient
}

/** Never the same twice, so that what an earlier run has left is not found. */
function unique(what: string): string {
  return `${what}-${Buffer.from(platform.random(9)).toString('hex')}`
}

/** Each is told something, knows somebody and can be written to. */
async function household(daemon: WatchedDaemon, canaries: Canary[]): Promise<Person[]> {
  const people: Person[] = []
  for (const role of roles) {
    const name = unique(`canary-account-${role}`)
    const password = unique(`canary-password-${role}`)
    const { id, token, words } = await daemon.client.createAccount({ name, role, password })
    canaries.push(textCanary(`password of the ${role}`, password))
    canaries.push(textCanary(`session of the ${role}`, token))
    canaries.push(textCanary(`words of the ${role}`, words.slice(3, 8).join(' ')))
    canaries.push(textCanary(`words of the ${role}, as JSON`, words.slice(3, 8).join('","')))
    canaries.push({ name: `entropy of the ${role}`, bytes: entropyOfWords(words) })
    const { rootSeed, recoverySeed } = rootKeysOf(platform, words)
    canaries.push({ name: `root key of the ${role}`, bytes: rootSeed })
    canaries.push({ name: `recovery key of the ${role}`, bytes: recoverySeed })
    people.push({ id, name, password, client: daemon.client.withSession(token) })
  }
  const [admin, adult, child] = people as [Person, Person, Person]
  await converse(canaries, admin, adult)
  await admin.client.decideContact(child.name, { contact: adult.id, state: 'approved' })
  await converse(canaries, adult, child)
  return people
}

/** `from` adds `to` by a link, under a name of its own, and writes; and `to` reads and adds it in turn. */
async function converse(canaries: Canary[], from: Person, to: Person): Promise<void> {
  const link = await to.client.createLink({})
  const as = unique('canary-contact')
  const text = unique('canary-message')
  canaries.push(textCanary(`link to ${to.name}`, link.slice(-40)))
  canaries.push({ name: `token of a link to ${to.name}`, bytes: parseContactLink(link).link.token })
  canaries.push(textCanary(`contact of ${from.name}`, as))
  canaries.push(textCanary(`message of ${from.name}`, text))
  await from.client.addContact({ link, as })
  const { state } = await from.client.send({ to: as, text, waitMs: 10_000 })
  if (state !== 'delivered') throw new Error(`the message is ${state}`)
  const read = await collect(to.client.inbox())
  if (!read.some((message) => message.text === text)) throw new Error('the message was not read')
  const known = unique('canary-contact')
  canaries.push(textCanary(`contact of ${to.name}`, known))
  await to.client.addContact({ link: read[0]?.from ?? '', as: known })
}

/** The keys of every account, opened by its password, of a store that no daemon has open. */
async function keysOf(daemon: WatchedDaemon, people: readonly Person[]): Promise<Canary[]> {
  const store = await openTestStore({ dir: join(daemon.home, 'store') })
  const keys: Canary[] = []
  try {
    for (const { value } of await collect(store.table('accounts').range({ limit: 10 }))) {
      const row = decodeAccountRow(value)
      const password = people.find(({ name }) => name === row.name)?.password ?? ''
      const device = await unwrapDevice(platform, row, utf8(password))
      keys.push({ name: `device key of ${row.name}`, bytes: device.signSeed.slice() })
      keys.push({ name: `seal key of ${row.name}`, bytes: device.sealSeed.slice() })
      const mailbox = mailboxIdOf(platform, row.rootPk)
      for (const { body } of await collect(store.items.slots(mailbox, slotClass.plain))) {
        if (body.length === 0) continue
        const { kind, content } = parsePlainSlot(body)
        if (kind !== plainSlotKind.keyring) continue
        const opened = await openKeyringItem(platform, content, device.sealSeed)
        if (opened) keys.push({ name: `${opened.kind} key of ${row.name}`, bytes: opened.secret })
      }
    }
  } finally {
    await store.close()
  }
  return keys
}

/** As lines, so that a failure says what lies where. */
function told(findings: readonly Finding[]): string[] {
  return findings.map(({ canary, form, where }) => `${canary} (${form}) in ${where}`)
}

t.test(
  'I18, I37: with everybody locked, nothing of what they wrote, know or hold is left',
  { timeout: 240_000 },
  async (t) => {
    const daemon = await WatchedDaemon.make(t)
    await daemon.start()
    const canaries: Canary[] = []
    const people = await household(daemon, canaries)
    t.ok(canaries.length >= 3 * 7 + 2 * 5, 'there is something to look for')

    const unlocked = await daemon.scan(new CanaryScanner(canaries))
    const inHeap = unlocked.filter(({ where }) => where === 'heap').map(({ canary }) => canary)
    t.ok(
      inHeap.some((canary) => canary.startsWith('contact of')),
      'the heap of an unlocked account names its contacts: the scan sees it',
    )
    t.same(told(unlocked.filter(({ where }) => where !== 'heap')), [], 'and nothing else does')

    for (const { client } of people) await client.lock()
    const names = people.map(({ name }) => textCanary(name, name))
    const scanner = new CanaryScanner([...canaries, ...names])
    const locked = await daemon.scan(scanner)
    const isName = ({ canary }: Finding) => names.some(({ name }) => name === canary)
    const named = new Set(
      locked.filter(isName).map(({ where }) => (where === 'heap' ? where : 'disk')),
    )
    t.same(
      [...named].toSorted(),
      ['disk', 'heap'],
      "an account's own name is no secret, and is found",
    )
    t.same(told(locked.filter((finding) => !isName(finding))), [], 'nothing else is')

    await daemon.stop()
    const keys = await keysOf(daemon, people)
    t.ok(keys.length >= people.length * 5, `${keys.length} keys were opened by the passwords`)
    t.same(told(await new CanaryScanner(keys).scanDirectory(daemon.home)), [], 'no key on the disk')
    await daemon.start()
    const restarted = await daemon.scan(new CanaryScanner([...canaries, ...keys]))
    t.same(told(restarted), [], 'nor after a restart')
  },
)
