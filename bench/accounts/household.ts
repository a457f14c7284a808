/** Nodes with many accounts, made before any clock starts. @module */

import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { argon2Default } from '../../src/base/crypto/password.ts'
import { openStore } from '../../src/base/store/store.ts'
import { silentLog as log } from '../../src/base/util/log.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import { loadMachineIdentity } from '../../src/machine/node/machine-identity.ts'
import type { PartContext } from '../harness.ts'
import type { AccountsInit, MadeAccount } from './account-worker.ts'

/** Of every account. */
export const password = 'correct horse battery staple'

/** A directory that a daemon can be started in, and the accounts that are locked there. */
export interface Household {
  readonly home: string
  readonly accounts: readonly MadeAccount[]
}

const unlimited = { perSecond: 100_000, burst: 100_000 }
/** Every limit is checked and none is reached. */
const config = {
  lan: false,
  logLevel: 'error',
  limits: {
    mailbox: {
      contactItemsMax: 10_000_000,
      contactBytesMax: 100_000_000_000,
      accountInbound: unlimited,
      peerInbound: unlimited,
      nodeInbound: unlimited,
    },
  },
}
/** Mailboxes whose first slots one commit takes. */
const atOnce = 64

/** Makes accounts as the node itself makes them, but on all cores; and hashes their password, which they have in common,
 *  once. Nothing of them is unlocked.
 *  @param name of a directory in the part's own */
export async function newHousehold(
  context: Pick<PartContext, 'clock' | 'scheduler' | 'scratchDir' | 'signal'>,
  { name, accounts }: { name: string; accounts: number },
): Promise<Household> {
  const { clock, scheduler, scratchDir, signal } = context
  const home = join(scratchDir, name)
  const platform = nodePlatform()
  await mkdir(home, { mode: 0o700 })
  await writeFile(join(home, 'config.json'), JSON.stringify(config), { mode: 0o600 })
  const { peerId } = await loadMachineIdentity({ file: join(home, 'machine.key'), platform })
  const made = await makeAccounts(peerId, accounts, signal)
  const base = { platform, clock, log }
  const store = await openStore({ ...base, scheduler, dir: join(home, 'store') })
  try {
    const limits = defaultMailboxLimits
    const mailboxes = new Mailboxes({ ...base, store, limits, self: peerId })
    const rows = store.table('accounts')
    for (let n = 0; n < made.length; n += atOnce) {
      signal.throwIfAborted()
      await Promise.all(
        made.slice(n, n + atOnce).map(async ({ rootPk, slots, row }) => {
          await mailboxes.host(rootPk, slots)
          await rows.put(rootPk, row)
        }),
      )
    }
  } finally {
    await store.close()
  }
  return { home, accounts: made }
}

async function makeAccounts(
  peerId: string,
  count: number,
  signal: AbortSignal,
): Promise<MadeAccount[]> {
  const threads = Math.min(count, availableParallelism())
  const share = Math.ceil(count / threads)
  const home = { peerId, role: 'home' as const, addresses: ['/ip4/192.0.2.1/tcp/4180'] }
  const shares = await Promise.all(
    Array.from({ length: threads }, async (_, n) => {
      const from = n * share
      const init = { home, from, count: Math.min(share, count - from), password }
      return onThread({ ...init, cost: argon2Default }, signal)
    }),
  )
  return shares.flat()
}

function onThread(init: AccountsInit, signal: AbortSignal): Promise<MadeAccount[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('account-worker.ts', import.meta.url), { workerData: init })
    const stop = () => {
      reject(signal.reason as Error)
      void worker.terminate()
    }
    signal.addEventListener('abort', stop, { once: true })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => {
      signal.removeEventListener('abort', stop)
      reject(new Error('a thread that makes accounts ended early'))
    })
  })
}
