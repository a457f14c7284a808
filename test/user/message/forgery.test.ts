/**
 * I7 and I24: whatever is put into a mailbox, its owner reads only what a signer sent to this owner, and
 * reads it once.
 */

import fc from 'fast-check'
import t from 'tap'
import { rootKeyOf } from '../../../src/base/crypto/address.ts'
import { sealEnvelope } from '../../../src/base/crypto/envelope.ts'
import { openSealed, startSeal } from '../../../src/base/crypto/hpke.ts'
import { labels } from '../../../src/base/crypto/labels.ts'
import { openMailboxRecord, prekeyIdOf } from '../../../src/base/crypto/mailbox-record.ts'
import { mapKey, concatBytes } from '../../../src/base/util/bytes.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import {
  encapsulationBytes,
  encodeEnvelopeHeader,
  envelopeHeaderBytes,
  suiteXWing,
} from '../../../src/base/wire/envelope.ts'
import type { Letter } from '../../../src/base/wire/letter.ts'
import { befriended, inboxOf, type Household, type World } from '../../support/household.ts'
import type { MemoryMailbox } from '../../support/memory-ports.ts'
import { testLetter, testPerson, type TestPerson } from '../../support/persons.ts'
import { holdsInTime } from '../../support/property.ts'

function mailboxOf({ node }: Household): MemoryMailbox {
  const [mailbox] = node.mailboxes.values()
  if (!mailbox) throw new Error('no mailbox')
  return mailbox
}

/** Somebody with a device of her own and everything public, who can put any bytes into a mailbox. */
class Mallory {
  readonly #world: World
  readonly #victim: Household
  readonly #friend: Household
  readonly #self: TestPerson
  readonly #carol: TestPerson
  #texts = 0

  constructor(world: World, { victim, friend }: { victim: Household; friend: Household }) {
    this.#world = world
    this.#victim = victim
    this.#friend = friend
    this.#self = testPerson(world.platform, 1)
    this.#carol = testPerson(world.platform, 2)
  }

  get mailbox(): MemoryMailbox {
    return mailboxOf(this.#victim)
  }

  /** Her own letter, which is what it says it is. */
  async own(): Promise<{ envelope: Uint8Array; text: string }> {
    const text = `mallory ${this.#texts++}`
    const envelope = await this.#sealed({
      letter: this.#letter(text),
      deviceSeed: this.#self.deviceSeed,
    })
    return { envelope, text }
  }

  /** In the friend's name, with a certificate of her own. */
  async inTheNameOf(): Promise<Uint8Array> {
    const from = rootKeyOf(this.#friend.member.id)
    const letter = this.#letter('forged', { from })
    return this.#sealed({ letter, deviceSeed: this.#self.deviceSeed })
  }

  /** With the friend's certificate, which is public, signed by herself. */
  async withTheCertificateOf(): Promise<Uint8Array> {
    const { record, root } = this.#recordOf(this.#friend)
    const letter = this.#letter('forged', {
      from: root,
      deviceCertificate: record.deviceCertificate,
    })
    return this.#sealed({ letter, deviceSeed: this.#self.deviceSeed })
  }

  /** In the victim's own name. */
  async inOwnName(): Promise<Uint8Array> {
    const { record, root } = this.#recordOf(this.#victim)
    const letter = this.#letter('forged', {
      from: root,
      deviceCertificate: record.deviceCertificate,
    })
    return this.#sealed({ letter, deviceSeed: this.#self.deviceSeed })
  }

  /** A letter that Carol wrote to Mallory, sealed afresh for the victim, Carol's signature and all. */
  async passedOn(): Promise<Uint8Array> {
    const { platform } = this.#world
    const mallory = this.#self
    const envelope = await sealEnvelope(platform, {
      recipientRoot: mallory.rootPk,
      prekey: mallory.prekey,
      expiresAtHours: this.#nowHours + 24,
      deviceSeed: this.#carol.deviceSeed,
      letter: testLetter(this.#carol, { body: encode({ text: 'for mallory', name: 'carol' }) }),
    })
    const aad = envelope.subarray(0, envelopeHeaderBytes)
    const plain = await openSealed(platform, {
      seed: mallory.prekeySeed,
      info: concatBytes(labels.envelope, aad, mallory.rootPk),
      aad,
      enc: envelope.subarray(envelopeHeaderBytes, envelopeHeaderBytes + encapsulationBytes),
      sealed: envelope.subarray(envelopeHeaderBytes + encapsulationBytes),
    })
    const { record, root } = this.#recordOf(this.#victim)
    const keyId = prekeyIdOf(platform, record.prekey)
    const expiresAtHours = this.#nowHours + 24
    const header = encodeEnvelopeHeader({ suite: suiteXWing, keyId, expiresAtHours })
    const info = concatBytes(labels.envelope, header, root)
    const sealer = await startSeal(platform, record.prekey, info)
    return concatBytes(header, sealer.enc, await sealer.seal(header, plain))
  }

  /** An envelope that was carried before, to whomever, from wherever. */
  carried(draw: number): Uint8Array {
    const { carried } = this.#world.network
    const outgoing = carried[draw % Math.max(1, carried.length)]
    return outgoing?.envelope ?? new Uint8Array(2000)
  }

  damaged(draw: number): Uint8Array {
    const bytes = Uint8Array.from(this.carried(draw))
    const place = (draw * 7919) % bytes.length
    bytes[place] = (bytes[place] as number) ^ (1 << (draw % 8))
    return bytes
  }

  truncated(draw: number): Uint8Array {
    const bytes = this.carried(draw)
    return bytes.slice(0, draw % bytes.length)
  }

  #letter(text: string, changes: Partial<Letter> = {}): Letter {
    return testLetter(this.#self, {
      msgId: this.#world.platform.random(16),
      body: encode({ text, name: 'alice' }),
      ...changes,
    })
  }

  async #sealed(init: { letter: Letter; deviceSeed: Uint8Array }): Promise<Uint8Array> {
    const { record, root } = this.#recordOf(this.#victim)
    return sealEnvelope(this.#world.platform, {
      ...init,
      recipientRoot: root,
      prekey: record.prekey,
      expiresAtHours: this.#nowHours + 24,
    })
  }

  #recordOf(household: Household) {
    const root = rootKeyOf(household.member.id)
    const { record } = mailboxOf(household)
    if (!record) throw new Error('no record')
    return { root, record: openMailboxRecord(this.#world.platform, record, root) }
  }

  get #nowHours(): number {
    return Math.floor(this.#world.time.nowMs() / 3_600_000)
  }
}

type Step =
  | 'honest'
  | 'own'
  | 'name'
  | 'certificate'
  | 'own-name'
  | 'passed-on'
  | 'replay'
  | 'forgetful-replay'
  | 'damage'
  | 'truncate'
  | 'restart'

const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step>(
      'honest',
      'own',
      'name',
      'certificate',
      'own-name',
      'passed-on',
      'replay',
      'forgetful-replay',
      'damage',
      'truncate',
      'restart',
    ),
    fc.nat(1_000_000),
  ),
  { minLength: 4, maxLength: 14 },
)

t.test('nothing is readable that its signer never sent to this person', async (t) => {
  const fired = new Map<Step, number>()
  const property = fc.asyncProperty(steps, async (plan) => {
    const { world, alice, bob: victim } = await befriended()
    let bob = victim
    const mallory = new Mallory(world, { victim, friend: alice })
    /** What each signer has sent to Bob. */
    const model = new Map([['it is me', alice.member.id as string]])
    const act: Record<Step, (draw: number) => Promise<Uint8Array | void>> = {
      honest: async (draw) => {
        const text = `alice ${model.size} ${draw}`
        model.set(text, alice.member.id)
        await alice.member.messages.send({ to: 'bob', text })
      },
      own: async () => {
        const { envelope, text } = await mallory.own()
        model.set(text, 'mallory')
        return envelope
      },
      name: async () => mallory.inTheNameOf(),
      certificate: async () => mallory.withTheCertificateOf(),
      'own-name': async () => mallory.inOwnName(),
      'passed-on': async () => mallory.passedOn(),
      replay: async (draw) => mallory.carried(draw),
      'forgetful-replay': async (draw) => {
        mallory.mailbox.forgetAcknowledgements()
        return mallory.carried(draw)
      },
      damage: async (draw) => mallory.damaged(draw),
      truncate: async (draw) => mallory.truncated(draw),
      restart: async () => {
        bob = await world.restart(bob)
      },
    }
    for (const [step, draw] of plan) {
      const envelope = await act[step](draw)
      if (envelope) mallory.mailbox.inject(envelope)
      fired.set(step, (fired.get(step) ?? 0) + 1)
      await world.settle()
    }
    const inbox = await inboxOf(bob)
    const seen = inbox.map(({ text, from, name, request }) => {
      const signer = model.get(text)
      if (signer === undefined) throw new Error(`${text} was never sent`)
      if (signer !== 'mallory' && from !== signer) throw new Error(`${text} is not from ${from}`)
      // a stranger may call herself Alice, and is a request all the same
      if (signer === 'mallory' && (!request || from === alice.member.id)) {
        throw new Error(`${name} passes for a contact`)
      }
      return text
    })
    if (seen.toSorted().join() !== [...model.keys()].toSorted().join()) {
      throw new Error(`sent ${[...model.keys()].join()}, seen ${seen.join()}`)
    }
    if (new Set(inbox.map(({ msgId }) => mapKey(Buffer.from(msgId)))).size !== inbox.length) {
      throw new Error('an id twice')
    }
  })
  await holdsInTime(t, property, { seed: 20_260_101, runs: 60 })
  t.equal(fired.size, 11, 'each kind of attack was tried')
})
