/** The process that is delivered to: the real transport, handler and store, or parts of them.
 *  @module */

import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { ItemStore } from '../../src/base/store/item-store.ts'
import { openStore } from '../../src/base/store/store.ts'
import type { TableName } from '../../src/base/store/table.ts'
import { CloseStack } from '../../src/base/util/close-stack.ts'
import { silentLog } from '../../src/base/util/log.ts'
import {
  systemClock as clock,
  systemScheduler as scheduler,
} from '../../src/base/util/system-time.ts'
import { deliverProtocol } from '../../src/base/wire/protocols.ts'
import { deliverHandler } from '../../src/machine/mailbox/deliver-handler.ts'
import {
  defaultMailboxLimits,
  type MailboxLimits,
} from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import { openTransport } from '../../src/machine/transport/open-transport.ts'
import type { StreamHandler } from '../../src/machine/transport/transport.ts'
import { delayCommits } from './delayed-media.ts'
import { answerAll } from './counting-stream.ts'
import { withAppend } from './item-stores.ts'
import { Meter } from './meter.ts'
import { benchHome } from './people.ts'
import type { FromServer, ServerInit, ToServer } from './server-messages.ts'

const platform = nodePlatform()
const open = new CloseStack()
const meter = new Meter()

const boundless = { perSecond: 1e9, burst: 1e9 }
/** Every limit is checked and none is reached. */
const limits: MailboxLimits = {
  ...defaultMailboxLimits,
  contactItemsMax: 1e9,
  contactBytesMax: 1e12,
  accountInbound: boundless,
  peerInbound: boundless,
  nodeInbound: boundless,
}

async function openMailboxes({ dir, work, commitDelayMs, recipients }: ServerInit) {
  const store = open.add(
    await openStore({
      dir,
      platform,
      clock,
      scheduler,
      log: silentLog,
      ...(work === 'slow-disk' && {
        decorate: (media) => delayCommits(media, { scheduler, delayMs: commitDelayMs }),
      }),
    }),
  )
  const append: ItemStore['append'] =
    work === 'unstored' ? async () => {} : async (items, rows) => store.items.append(items, rows)
  const items = withAppend(store.items, meter.watchStore(append))
  const itemStore = { items, table: (name: TableName) => store.table(name) }
  const mailboxes = new Mailboxes({
    platform,
    store: itemStore,
    limits,
    self: benchHome,
    clock,
    log: silentLog,
  })
  for (const { rootPk, slots } of recipients) await mailboxes.host(rootPk, slots)
  return mailboxes
}

async function handlerOf(init: ServerInit, machineSeed: Uint8Array): Promise<StreamHandler> {
  if (init.work === 'stream') return answerAll
  return deliverHandler({
    mailboxes: meter.watchRequests(await openMailboxes(init)),
    sign: (bytes) => platform.ed25519.sign(machineSeed, bytes),
    scheduler: meter.watchReceipts(scheduler),
  })
}

async function start(init: ServerInit): Promise<FromServer> {
  const machineSeed = platform.random(32)
  const { carrier } = init
  const transport = open.add(
    await openTransport({
      machineSeed,
      tcp: carrier === 'tcp' ? ['127.0.0.1:0'] : [],
      quic: carrier === 'quic' ? ['127.0.0.1:0'] : [],
      clock,
      scheduler,
      random: (length) => platform.random(length),
      log: silentLog,
    }),
  )
  transport.handle(deliverProtocol, await handlerOf(init, machineSeed))
  await transport.listen()
  const [address] = transport.addresses()
  if (address === undefined) throw new Error('the transport has no address')
  return { kind: 'ready', peerId: transport.peerId, address }
}

function usage(): FromServer {
  const { user, system } = process.cpuUsage()
  return { kind: 'usage', usage: { cpuUs: user + system, steps: meter.steps } }
}

async function stop(): Promise<void> {
  await open.close()
  if (process.connected) process.disconnect()
}

process.on('message', (message: ToServer) => {
  const answer = message.kind === 'start' ? start(message.init) : Promise.resolve(usage())
  void answer.then((text) => process.send?.(text))
})
// The parent asks it to end; or is gone, and then there is nobody to serve.
process.once('SIGTERM', () => void stop())
process.once('disconnect', () => void stop().then(() => process.exit()))
