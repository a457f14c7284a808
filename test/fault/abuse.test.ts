/**
 * I29: under each abuse the node keeps its memory, its event loop and its friends; I30, I31: and what it stores of
 * strangers is little and theirs. A new abuse is one more row of the list.
 */

import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import t, { type Test } from 'tap'
import { mailboxIdOf } from '../../src/base/crypto/address.ts'
import { unverifiedRecord, verifyMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import { equalBytes } from '../../src/base/util/bytes.ts'
import { systemClock } from '../../src/base/util/system-time.ts'
import { pool } from '../../src/machine/mailbox/admission.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { defaultDirectoryLimits } from '../../src/machine/node/directory-limits.ts'
import { defaultTransportLimits } from '../../src/machine/transport/transport-limits.ts'
import { Arena, type AbuseResult, type Target } from '../support/abuse/arena.ts'
import {
  churn,
  crowd,
  halfOpenQuic,
  halfOpenSockets,
  hostileStreams,
  slowReader,
} from '../support/abuse/attacks.ts'
import { heldRows, holdBefore } from '../support/abuse/held-rows.ts'
import { floodLetters } from '../support/abuse/letter-flood.ts'
import { floodRecords, type RecordFlood } from '../support/abuse/record-flood.ts'
import { RecordOffers } from '../support/abuse/record-offers.ts'
import { recordAt } from '../support/abuse/record-question.ts'
import { StrangerLetters } from '../support/abuse/stranger-letters.ts'

const rssBytesMax = 512 * 2 ** 20
/** What a node that was attacked uses more than before, garbage aside. */
const grownBytesMax = 32 * 2 ** 20
const loopP99MsMax = 100
const honestShareMin = 0.99

interface Abuse {
  /** What it does; its bounds are in docs/limits.md. */
  readonly name: string
  readonly attack: (t: Test, target: Target, scene: Scene) => Promise<void>
}

const platform = nodePlatform()
const nowMs = systemClock.nowMs()

/** One peer has used up nearly all of its room in the directory before. */
const hoarder = await generateKeyPair('Ed25519')
const hoarderId = peerIdFromPrivateKey(hoarder).toString() as PeerId
const hoarderLeft = 20

/** Where it happens, and what is known of it for the look into the store at the end. */
class Scene {
  readonly offers = new RecordOffers({ platform, nowMs })
  records: RecordFlood | undefined
  letters: { readonly items: number; readonly bytes: number } | undefined
  arena!: Arena

  static async open(t: Test): Promise<Scene> {
    const scene = new Scene()
    const before = scene.offers.valid(defaultDirectoryLimits.recordsPerPeerMax - hoarderLeft)
    const records = before.map(({ record }) => record)
    scene.arena = await Arena.open(t, {
      before: async (store) => holdBefore(store, records, hoarderId),
    })
    return scene
  }
}

const fromStrangers: readonly Abuse[] = [
  { name: 'nothing, to compare with', attack: async () => Promise.resolve() },
  {
    name: 'thousands of hostile streams by TCP',
    attack: async (t, { tcp }) => {
      const { opened, names } = await hostileStreams(t, tcp, {
        count: 3000,
        namesMax: 500,
        seed: 1,
      })
      t.comment(`${opened} streams under ${names} names`)
      t.ok(opened >= 3000)
      t.ok(names > 20, 'who was shut out came again under other names')
    },
  },
  {
    name: 'streams opened and reset as fast as can be',
    attack: async (t, { tcp }) => {
      const opened = await churn(t, tcp, 3000)
      t.comment(`${opened} streams`)
      t.ok(opened > 500)
    },
  },
  {
    name: 'half-open sockets of two addresses',
    attack: async (t, target) => {
      const hosts = ['127.0.140.1', '127.0.140.2']
      const opened = await halfOpenSockets(target, { hosts, durationMs: 3000 })
      t.comment(`${opened} sockets`)
      t.ok(opened > 200)
    },
  },
  {
    name: 'more connections than there are places',
    attack: async (t, { tcp }) => {
      const { connectionsMax, connectionsReserved } = defaultTransportLimits
      const places = connectionsMax - connectionsReserved
      const held = await crowd(t, tcp, { count: places + 40, places })
      t.comment(`${held} of ${places} places held`)
      t.ok(held > places / 2)
    },
  },
  {
    name: 'who asks without end and reads no answer',
    attack: async (t, { tcp }) => {
      const written = await slowReader(t, tcp, 10)
      t.comment(`${written} requests`)
      t.ok(written > 10_000)
    },
  },
  {
    name: 'a thousand records, few of which are any',
    attack: async (t, target, scene) => {
      const counts = { junk: 650, hoarded: 60, hasty: 260 }
      const flood = await floodRecords(t, target, { offers: scene.offers, hoarder, counts })
      scene.records = flood
      const { tally, names } = flood
      t.comment(`${tally.total} records under ${names} names; ${tally.text}`)
      t.ok(tally.total >= 1000)
      t.equal(tally.of('hoarded', 'held'), hoarderLeft, 'no more than its quota')
      t.equal(tally.of('hoarded', 'ABZU_QUOTA_EXCEEDED'), counts.hoarded - hoarderLeft)
      t.ok(tally.of('valid', 'held') > 100, 'who is within its bounds is served')
      t.ok(tally.of('valid', 'ABZU_RATE_LIMITED') > 0, 'and no further')
      t.ok(tally.of('fork', 'fork') > 0)
      t.ok(tally.of('older', 'stale') > 0)
      for (const sort of RecordOffers.junkSorts) {
        t.ok(tally.of(sort, 'ABZU_MALFORMED') > 50, `${sort} was refused`)
        for (const taken of ['held', 'stale', 'fork']) t.equal(tally.of(sort, taken), 0)
      }

      const newcomer = await scene.arena.newcomer('cleo')
      const found = await recordAt(t, target, newcomer)
      t.ok(found && equalBytes(verifyMailboxRecord(platform, found).mailbox, newcomer))
    },
  },
]

/** By QUIC all come from the one address that the honest peer has here as well. */
const fromNeighbours: readonly Abuse[] = [
  {
    name: 'hostile streams by QUIC',
    attack: async (t, { quic }) => {
      const { opened, names } = await hostileStreams(t, quic, { count: 600, namesMax: 16, seed: 2 })
      t.comment(`${opened} streams under ${names} names`)
      t.ok(opened > 50)
    },
  },
  {
    name: 'half-open QUIC handshakes',
    attack: async (t, target) => {
      const passed = await halfOpenQuic(t, target, 200)
      t.comment(`${passed} handshakes`)
      t.ok(passed >= 50)
    },
  },
]

/** Nobody reads the flooded mailbox meanwhile, so that no room is made in it. */
const lastOfAll: Abuse = {
  name: "ten thousand strangers' letters to one mailbox",
  attack: async (t, target, scene) => {
    await scene.arena.lockOwner()
    const record = (await recordAt(t, target, target.mailbox)) as Uint8Array
    const letters = new StrangerLetters({ platform, nowMs, mailbox: target.mailbox, record })
    const { tally, stored } = await floodLetters(t, target, { letters, count: 10_000, names: 20 })
    scene.letters = stored
    t.comment(
      `${tally.total} letters, ${stored.items} stored with ${stored.bytes} bytes; ${tally.text}`,
    )
    t.ok(tally.total >= 10_000)
    const { strangerBytesMax, strangerItemsMax } = defaultMailboxLimits
    t.ok(stored.items <= strangerItemsMax)
    t.ok(stored.bytes <= strangerBytesMax)
    t.ok(stored.bytes > 0.9 * strangerBytesMax, 'the room was filled')
    t.ok(tally.of('valid', 'ABZU_QUOTA_EXCEEDED') > 0)
    t.ok(tally.of('bad stamp', 'ABZU_STAMP_INVALID') > 0)
    for (const sort of tally.sorts)
      if (sort !== 'valid') t.equal(tally.of(sort, 'durable'), 0, sort)
  },
}

function judge(t: Test, result: AbuseResult): void {
  const { honestSent, honestDelivered, ownLoopP99Ms, errors } = result
  t.comment(JSON.stringify({ ...result, rssMiBMax: Math.round(result.rssBytesMax / 2 ** 20) }))
  t.ok(
    honestDelivered >= honestShareMin * honestSent,
    `${honestDelivered} of ${honestSent} delivered`,
  )
  t.ok(result.rssBytesMax <= rssBytesMax, 'resident memory')
  t.ok(ownLoopP99Ms <= loopP99MsMax, `the event loop's p99 is ${ownLoopP99Ms} ms`)
  t.strictSame(errors, [], 'no bug was reached')
}

/** What attackers have left in the store, read once the node was killed. */
async function lookIntoStore(t: Test, { arena, offers, records, letters }: Scene) {
  const { mailbox } = arena.target
  const { held, strange } = await arena.lookInto(async (store) => ({
    held: await heldRows(store),
    strange: store.items.usage(mailbox)[pool.stranger],
  }))
  const { recordsMax, recordsPerPeerMax, peerPuts } = defaultDirectoryLimits
  const perPeer = new Map<string, number>()
  let attackers = 0
  let isOwn = true
  for (const { mailbox, from, signed } of held) {
    perPeer.set(from, (perPeer.get(from) ?? 0) + 1)
    const valid = offers.validOf(mailbox)
    if (valid) attackers++
    const isWhole = valid
      ? equalBytes(valid, signed)
      : arena.honest.some((one) => equalBytes(one, mailbox)) &&
        equalBytes(verifyMailboxRecord(platform, signed).mailbox, mailbox)
    const { account } = unverifiedRecord(signed)
    if (!isWhole || !equalBytes(mailboxIdOf(platform, account), mailbox)) isOwn = false
  }
  t.comment(`${held.length} records held, ${attackers} of them of attackers`)
  t.ok(isOwn, 'each is at its own place, and what its account signed')
  t.equal(held.length - attackers, arena.honest.length, 'and those of honest accounts')
  t.ok(held.length <= recordsMax)
  for (const count of perPeer.values()) if (count > recordsPerPeerMax) t.fail('over the quota')
  t.equal(perPeer.get(hoarderId), recordsPerPeerMax)
  const { hasty, durationMs } = records as RecordFlood
  const byRate = peerPuts.burst + (peerPuts.perSecond * durationMs) / 1000 + 1
  t.ok((perPeer.get(hasty) ?? 0) <= byRate, 'no more than its rate')

  t.comment(`${strange?.items} letters of strangers, ${strange?.bytes} bytes`)
  t.ok((strange?.items ?? 0) <= defaultMailboxLimits.strangerItemsMax)
  t.ok((strange?.bytes ?? 0) <= defaultMailboxLimits.strangerBytesMax)
  t.match(strange, letters ?? {}, 'what has a receipt is there')
}

const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20)

t.test('I29, I30, I31: a node under abuse', { timeout: 240_000 }, async (t) => {
  const scene = await Scene.open(t)
  const { arena } = scene
  const suffer = async ({ name, attack }: Abuse) =>
    t.test(name, async (t) => {
      judge(t, await arena.withstand(async (target) => attack(t, target, scene)))
    })
  const [calm, ...others] = fromStrangers as [Abuse, ...Abuse[]]
  await suffer(calm)
  const before = await arena.memory()
  for (const abuse of others) await suffer(abuse)
  await arena.befriend()
  for (const abuse of fromNeighbours) await suffer(abuse)
  await suffer(lastOfAll)
  const after = await arena.memory()
  for (const [when, memory] of Object.entries({ before, after })) {
    const { rssBytes, rssBytesCollected, usedBytesCollected } = memory
    t.comment(
      `${when}: ${mebibytes(rssBytes)} MiB resident, ${mebibytes(rssBytesCollected)} without garbage, ` +
        `${mebibytes(usedBytesCollected)} used`,
    )
  }
  t.ok(after.usedBytesCollected - before.usedBytesCollected <= grownBytesMax, 'nothing is kept')
  await t.test('what is left in the store', async (t) => lookIntoStore(t, scene))
})
