/**
 * Takes mail in. What a letter says is durable in the vault before its mail is acknowledged; a kill
 * between the two leaves mail whose message is there already, and that is noticed.
 * @see docs/protocol.md#letters
 * @module
 */

import type { ItemId } from '../../base/util/brand.ts'
import { equalBytes, mapKey } from '../../base/util/bytes.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import type { MailItem } from '../account/ports.ts'
import type { Serial } from '../account/serial.ts'
import { Intake, type IntakeDeps, type ReceivedLetter } from './intake.ts'
import { letterContent } from './letter-content.ts'

export interface ReceiverDeps extends IntakeDeps {
  /** One change of contacts or message states at a time. */
  readonly changes: Serial
  readonly scheduler: Pick<Scheduler, 'soon'>
}

/** Mail that is opened, written and acknowledged together. */
const pageMails = 64

export class Receiver {
  readonly #deps: ReceiverDeps
  /** Mail up to this arrival is dealt with, or left where it is. */
  #after: number | undefined
  /** Key ids of mail that we could open, and left. */
  #left = new Set<string>()
  #round = 0
  /** Mail that was forged, damaged or of no use. */
  #dropped = 0

  constructor(deps: ReceiverDeps) {
    this.#deps = deps
  }

  /** Key ids, as map keys, of mail that has to stay in the mailbox. */
  get keysNeeded(): ReadonlySet<string> {
    return this.#left
  }

  /** What was left is looked at again by the next call of `takeAll`. */
  reconsider(): void {
    this.#round++
    this.#after = undefined
    this.#left = new Set()
  }

  /** Takes in all mail that lies in the mailbox, a page at a time. */
  async takeAll(signal: AbortSignal): Promise<void> {
    const { account, scheduler } = this.#deps
    for (;;) {
      signal.throwIfAborted()
      const [after, round] = [this.#after, this.#round]
      const page = await account.port.mail({
        limit: pageMails,
        ...(after !== undefined && { after }),
      })
      if (page.items.length > 0) await this.#takePage(page.items)
      const isReconsidered = this.#round !== round
      if (!isReconsidered) this.#after = page.items.at(-1)?.arrival ?? after
      if (page.next === undefined && !isReconsidered) return
      await new Promise<void>((resolve) => scheduler.soon(resolve))
    }
  }

  async #takePage(items: readonly MailItem[]): Promise<void> {
    const { account, changes } = this.#deps
    const opened: { item: MailItem; letter: ReceivedLetter | undefined }[] = []
    for (const item of items) {
      const letter = await this.#open(item)
      if (letter !== 'sealed') opened.push({ item, letter })
    }
    await changes.run(async () => {
      const intake = new Intake(this.#deps)
      const done: ItemId[] = []
      for (const { item, letter } of opened) {
        const isDone = !letter || (await intake.take(letter))
        if (isDone) done.push(item.id)
        else this.#left.add(mapKey(parseEnvelopeHeader(item.envelope).keyId))
      }
      await intake.write()
      await account.acknowledge(done)
    })
  }

  /** The letter; `sealed` where no key of ours opens it; undefined where it is to be dropped. */
  async #open({ envelope, isStrange }: MailItem): Promise<ReceivedLetter | 'sealed' | undefined> {
    const { account, log } = this.#deps
    try {
      const opened = await account.open(envelope)
      if (!opened) return 'sealed'
      const content = letterContent(opened.letter)
      if (!equalBytes(opened.letter.from, account.rootPk)) return { ...opened, content, isStrange }
    } catch (error) {
      if (!isAbzuError(error)) throw error
      this.#dropped++
      log.warn('mail-dropped', { error: toAbzuError(error), dropped: this.#dropped })
    }
    return undefined
  }
}
