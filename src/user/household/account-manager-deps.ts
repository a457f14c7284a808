/** What the accounts of a node need of it. @module */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import type { Log } from '../../base/util/log.ts'
import type {
  NodeTables,
  HostingPort,
  PostPort,
  DirectoryPort,
  RestorePort,
  CarriagePort,
  MovingPort,
  StampPort,
  TierPort,
  UsePort,
} from '../account/ports.ts'

export interface AccountManagerDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  readonly tables: NodeTables
  readonly hosting: HostingPort
  readonly post: PostPort
  readonly directory: DirectoryPort
  readonly restoring: RestorePort
  readonly carriage: CarriagePort
  readonly moving: MovingPort
  readonly stamps: StampPort
  readonly tiers: TierPort
  readonly use: UsePort
}
