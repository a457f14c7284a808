/** The user half on the real mailbox and outbox of the machine half, over in-memory streams. @module */

import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { searchInTurns, StampMill } from '../../src/base/crypto/stamp-mill.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import type { Clock, Scheduler } from '../../src/base/util/clock.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import { silentLog } from '../../src/base/util/log.ts'
import type { Host } from '../../src/base/wire/records.ts'
import type { DirectoryPort } from '../../src/user/account/ports.ts'
import { AccountManager } from '../../src/user/household/account-manager.ts'
import { MailNode, type MailNetwork } from './mail-node.ts'
import { noRestore } from './memory-restore.ts'

export interface House {
  readonly node: MailNode
  /** The accounts of its disk, all of them locked. An automatic lock is off. */
  readonly open: () => Promise<AccountManager>
  readonly close: () => Promise<void>
  /** The home is reached at these addresses from now on. */
  readonly move: (addresses: readonly string[]) => void
}

/** @param init.known hosts that are asked where none is named */
export async function house(init: {
  readonly network: MailNetwork
  readonly platform: CryptoPlatform
  readonly time: Clock & Scheduler
  readonly known?: readonly Host[]
}): Promise<House> {
  const { network, platform, time, known = [] } = init
  const node = await new MailNode(network, { platform, time }).start()
  let addresses = node.home.addresses
  const directory: DirectoryPort = {
    home: () => ({ ...node.home, ...(addresses && { addresses }) }),
    ahead: async () => undefined,
    resolve: async (mailbox, hosts) => {
      for (const { peerId } of hosts.length > 0 ? hosts : known) {
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
    open: async () => {
      const manager = await AccountManager.open(
        {
          platform,
          clock: time,
          scheduler: time,
          log: silentLog,
          rows: node.store.table('accounts'),
          hosting: node.mailboxes,
          post: node.outbox,
          directory,
          restoring: noRestore,
          stamps: new StampMill({ search: searchInTurns(platform, time), scheduler: time }),
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
