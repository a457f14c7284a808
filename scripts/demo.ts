/**
 * `npm run -s demo`: a friend's node keeps sealed copies, told in a minute by real daemons on loopback. Ends with 1
 * where a message is missing or came twice.
 * @module
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { Box } from './demo/daemon.ts'

const waitMsMax = 20_000
const startedAt = performance.now()

function say(text: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)
  process.stdout.write(`${seconds} s  ${text}\n`)
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const endAt = performance.now() + waitMsMax
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > endAt) throw new Error(`never so: ${what}`)
    await pause(100)
  }
}

/** What Carl has sent to Anna, and what she has read of it. */
class Accounts {
  readonly #carl: Box
  readonly #sent = new Map<string, string>()

  constructor(carl: Box) {
    this.#carl = carl
  }

  async send(text: string): Promise<void> {
    const { msgId, state, held } = await this.#carl.run('send', '--account', 'carl', 'anna', text)
    this.#sent.set(String(msgId), text)
    const { by = '', until: end = '' } = (held ?? {}) as { by?: string; until?: string }
    const where = state === 'held' ? `held by ...${by.slice(-8)} until ${end.slice(0, 10)}` : state
    say(`Carl sends "${text}": ${String(where)}`)
  }

  async states(): Promise<string[]> {
    const states: string[] = []
    for (const msgId of this.#sent.keys()) {
      const { state } = await this.#carl.run('message', 'show', msgId, '--account', 'carl')
      states.push(String(state))
    }
    return states
  }

  /** Returns how many were read once, are missing, and came more than once. */
  async judge(box: Box): Promise<{ once: number; missing: string[]; doubled: string[] }> {
    const read = await box.lines('inbox', '--account', 'anna')
    const count = (msgId: string) => read.filter((message) => message['msgId'] === msgId).length
    const all = [...this.#sent]
    return {
      once: all.filter(([msgId]) => count(msgId) === 1).length,
      missing: all.filter(([msgId]) => count(msgId) === 0).map(([, text]) => text),
      doubled: all.filter(([msgId]) => count(msgId) > 1).map(([, text]) => text),
    }
  }
}

interface Copy {
  readonly behind: number | null
  readonly verifiedSecondsAgo: number | null
  readonly mailboxes: readonly { readonly items: number }[]
}

/** Resolves when two boxes hold the same of what they share. */
async function alike(...boxes: [Box, Box]): Promise<void> {
  await until(`${boxes[0].name} and ${boxes[1].name} hold the same`, async () => {
    const copies: Copy[] = []
    for (const box of boxes) {
      const { peers } = await box.run('peer', 'status')
      copies.push((peers as Copy[])[0] as Copy)
    }
    const items = copies.map(({ mailboxes }) => mailboxes[0]?.items)
    const isSettled = copies.every((copy) => copy.behind === 0 && copy.verifiedSecondsAgo !== null)
    return isSettled && items[0] !== undefined && items[0] === items[1] ? true : undefined
  })
}

async function tell(dir: string, boxes: Box[]): Promise<boolean> {
  const [anna, ben, carl, attic] = ['annas-box', 'bens-box', 'carls-box', 'old-laptop'].map(
    (name) => new Box(dir, name),
  ) as [Box, Box, Box, Box]
  boxes.push(anna, ben, carl, attic)
  say('Three boxes in three houses: Anna, her friend Ben, and Carl.')
  await Promise.all([anna, ben, carl].map(async (box) => box.start()))
  const password = (box: Box) => ['--role', 'admin', '--password-file', box.passwordFile]
  const { words } = await anna.run('account', 'create', 'anna', ...password(anna))
  await carl.run('account', 'create', 'carl', ...password(carl))
  const { code } = await anna.run('peer', 'invite', '--name', 'ben')
  await ben.run('peer', 'accept', String(code), '--name', 'anna')
  say('Anna and Ben have paired: each keeps sealed copies for the other.')
  const { link } = await anna.run('contact', 'link', '--account', 'anna')
  await carl.run('contact', 'add', String(link), '--account', 'carl', '--as', 'anna')

  const accounts = new Accounts(carl)
  await accounts.send('Are you at home?')
  await alike(anna, ben)
  await anna.kill()
  say("The power is off at Anna's.")
  await accounts.send('I left the keys with Ben.')
  await accounts.send('And the cat is fed.')
  await anna.start()
  await anna.run('account', 'unlock', 'anna', '--password-file', anna.passwordFile)
  await until('all is delivered', async () =>
    (await accounts.states()).every((state) => state === 'delivered') ? true : undefined,
  )
  const evening = await accounts.judge(anna)
  say(`The power is back: Carl's messages are delivered, and Anna reads ${evening.once} of 3.`)
  await alike(anna, ben)

  await anna.destroy()
  say("Anna's house burns down, with her box.")
  await accounts.send('Are you all right?')
  await attic.start()
  const address = ((await ben.run('status'))['addresses'] as string[])[0] as string
  const wordsFile = attic.file('words', (words as string[]).join(' '))
  const from = ['--words-file', wordsFile, '--peer', address]
  const named = ['--name', 'anna', '--password-file', attic.passwordFile]
  const { items } = await attic.run('account', 'recover', ...from, ...named)
  say(`Anna types her 24 words into an old laptop: ${String(items)} sealed items come from Ben.`)
  await accounts.send('I saw the smoke.')
  const end = await until('everything is there', async () => {
    const found = await accounts.judge(attic)
    return found.missing.length === 0 ? found : undefined
  }).catch(async () => accounts.judge(attic))
  const { once, missing, doubled } = end
  for (const text of missing) say(`MISSING: "${text}"`)
  for (const text of doubled) say(`TWICE: "${text}"`)
  say(
    `Anna has read ${once} of 5 messages, each once: ${missing.length} missing, ${doubled.length} twice.`,
  )
  return missing.length + doubled.length === 0 && once === 5 && evening.once === 3
}

const dir = mkdtempSync(join(tmpdir(), 'abzu-demo-'))
const boxes: Box[] = []
try {
  process.exitCode = (await tell(dir, boxes)) ? 0 : 1
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
} finally {
  for (const box of boxes) await box.kill().catch(() => undefined)
  rmSync(dir, { recursive: true, force: true })
}
