/** The user half on the real mailbox and outbox of the machine half, over in-memory streams. @module */

import { Carriage } from '../../src/machine/mailbox/carriage.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { searchInTurns, StampMill } from '../../src/base/crypto/stamp-mill.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import { equalBytes } from '../../src/base/util/bytes.ts'
import type { Clock, Scheduler } from '../../src/base/util/clock.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { plainSlotKind } from '../../src/base/wire/plain-slot.ts'
import type { Host } from '../../src/base/wire/records.ts'
import type {
  Claim,
  DirectoryPort,
  MailboxPort,
  RestoreInit,
  SignedSlot,
} from '../../src/user/account/ports.ts'
import { slotClass } from '../../src/base/wire/slot.ts'
import { limitPorts } from '../../src/compose/limits.ts'
import { AccountManager } from '../../src/user/household/account-manager.ts'
import { MailNode, type MailNetwork } from './mail-node.ts'
import { unpaired } from './memory-moving.ts'

interface Agreed {
  readonly holders: readonly Host[]
  readonly parted: readonly string[]
}

export interface House {
  readonly node: MailNode
  /** The accounts of its disk, all of them locked. An automatic lock is off. */
  readonly open: () => Promise<AccountManager>
  readonly close: () => Promise<void>
  /** The home is reached at these addresses from now on. */
  readonly move: (addresses: readonly string[]) => void
  /** Who keeps copies from now on, and who does no more. */
  readonly agree: (agreed: Agreed) => void
}

/** Hosts the slots that another node has; the mail stays where it is. */
async function copied(
  network: MailNetwork,
  { mailboxes }: MailNode,
  { rootPk }: Claim,
  { hosts, progress }: RestoreInit,
): Promise<MailboxPort> {
  for (const { peerId } of hosts) {
    const from = network.node(peerId as PeerId)?.mailboxes
    for await (const { mailbox, rootPk: root } of from?.hosted() ?? []) {
      if (!from || !equalBytes(root, rootPk)) continue
      const slots: SignedSlot[] = []
      for (const kind of [slotClass.plain, slotClass.sealed]) {
        for await (const slot of from.mailbox(mailbox).slots(kind)) {
          const isIdentity = kind === slotClass.plain && slot.body[0] === plainSlotKind.identity
          slots[isIdentity ? 'unshift' : 'push'](slot)
        }
      }
      progress({ items: slots.length, bytes: 0, itemsTotal: slots.length })
      return mailboxes.host(rootPk, slots)
    }
  }
  throw new AbzuError('ABZU_NOT_FOUND', 'nobody has it')
}

/** @param init.known hosts that are asked beside those that are named, or where none is */
export async function house(init: {
  readonly network: MailNetwork
  readonly platform: CryptoPlatform
  readonly time: Clock & Scheduler
  readonly known?: readonly Host[]
}): Promise<House> {
  const { network, platform, time, known = [] } = init
  const node = await new MailNode(network, { platform, time }).start()
  let addresses = node.home.addresses
  let agreed: Agreed = { holders: [], parted: [] }
  const directory: DirectoryPort = {
    home: () => ({ ...node.home, ...(addresses && { addresses }) }),
    holders: (among) => agreed.holders.filter(({ peerId }) => among?.includes(peerId) ?? true),
    isCovered: async () => true,
    hasParted: (peerId) => agreed.parted.includes(peerId),
    ahead: async () => undefined,
    bequeath: async () => undefined,
    resolve: async (mailbox, hosts) => {
      for (const { peerId } of [...hosts, ...known]) {
        const record = await network.node(peerId as PeerId)?.mailboxes.record(mailbox)
        if (record) return record
      }
      throw new AbzuError('ABZU_UNREACHABLE', 'nobody there')
    },
  }
  const managers: AccountManager[] = []
  return {
    node,
    move: (others) => void (addresses = others),
    agree: (others) => void (agreed = others),
    open: async () => {
      const manager = await AccountManager.open(
        {
          platform,
          clock: time,
          scheduler: time,
          log: silentLog,
          tables: node.store,
          hosting: node.mailboxes,
          post: node.outbox,
          directory,
          restoring: { restore: async (claim, init) => copied(network, node, claim, init) },
          carriage: new Carriage({ platform, items: node.store.items, mailboxes: node.mailboxes }),
          moving: unpaired,
          stamps: new StampMill({ search: searchInTurns(platform, time), scheduler: time }),
          ...limitPorts({
            items: node.store.items,
            mailboxes: node.mailboxes,
            outbox: node.outbox,
          }),
        },
        { autoLockMinutes: 0 },
      )
      managers.push(manager)
      return manager
    },
    close: async () => {
      await Promise.all(managers.map(async (manager) => manager.close()))
      await node.stop()
      await node.store.close()
    },
  }
}
