/** @module */

import { itemIdOf } from '../../src/base/crypto/address.ts'
import { doorProof } from '../../src/base/crypto/door.ts'
import { sealEnvelope } from '../../src/base/crypto/envelope.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { openStore } from '../../src/base/store/store.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { equalBytes } from '../../src/base/util/bytes.ts'
import { silentLog as log } from '../../src/base/util/log.ts'
import { encode } from '../../src/base/wire/codec.ts'
import type { Host } from '../../src/base/wire/records.ts'
import { defaultMailboxLimits as limits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import type { OutboxOutcome } from '../../src/machine/mailbox/outbox-row.ts'
import { Outbox, type Outgoing } from '../../src/machine/mailbox/outbox.ts'
import { openTransport } from '../../src/machine/transport/open-transport.ts'
import { newPerson, type Recipient } from '../deliver/people.ts'
import type { PartContext } from '../harness.ts'

const platform = nodePlatform()
const hourMs = 3_600_000

/** Somebody at a node of its own: the real outbox, its store and its transport. */
export class MailSender {
  readonly #outbox: Outbox
  readonly #clock: PartContext['clock']
  readonly #person = newPerson(platform)
  readonly #from: MailboxId

  /** `context.open` takes what it opens. */
  static async start({ clock, scheduler, open }: PartContext, dir: string): Promise<MailSender> {
    const base = { platform, clock, scheduler, log }
    const machineSeed = platform.random(32)
    const random = (length: number) => platform.random(length)
    const store = open.add(await openStore({ ...base, dir }))
    const transport = open.add(await openTransport({ ...base, machineSeed, random, tcp: [] }))
    const mailboxes = new Mailboxes({ ...base, store, limits, self: transport.peerId })
    const outbox = open.add(new Outbox({ ...base, store, transport, mailboxes, limits }))
    await outbox.start()
    return new MailSender(outbox, clock)
  }

  private constructor(outbox: Outbox, clock: PartContext['clock']) {
    this.#outbox = outbox
    this.#clock = clock
    this.#from = platform.random(32) as MailboxId
  }

  /** A letter that is ready to be sent. */
  async letter(to: Recipient, hosts: readonly Host[]): Promise<Outgoing> {
    const { rootPk, prekey, mailbox, doorId, doorKey } = to
    const { deviceSeed, rootPk: from, certificate: deviceCertificate } = this.#person
    const sentAt = this.#clock.nowMs()
    const envelope = await sealEnvelope(platform, {
      recipientRoot: rootPk,
      prekey,
      expiresAtHours: Math.floor(sentAt / hourMs) + 24,
      deviceSeed,
      letter: {
        v: 1,
        from,
        deviceCertificate,
        msgId: platform.random(16),
        sentAt,
        type: 'text',
        body: encode({ text: 'Are you there?', name: 'Sender' }),
        recordSeq: 1,
      },
    })
    const proof = doorProof(platform, doorKey, mailbox, itemIdOf(platform, envelope))
    return { from: this.#from, to: mailbox, hosts, doorId, proof, envelope }
  }

  /** Resolves once what became of it is durable here. */
  async send(letter: Outgoing): Promise<OutboxOutcome> {
    const told = Promise.withResolvers<OutboxOutcome>()
    const id = itemIdOf(platform, letter.envelope)
    const look = async () => {
      const outcomes = await this.#outbox.outcomes(this.#from)
      const found = outcomes.find((outcome) => equalBytes(outcome.id, id))
      if (found) told.resolve(found)
    }
    const stop = this.#outbox.watch(this.#from, () => void look().catch(told.reject))
    try {
      await this.#outbox.post(letter)
      return await told.promise
    } finally {
      stop()
    }
  }
}
