/**
 * A process of its own: twenty nodes of one mesh, of which half stop, and then are silent. Prints one line of
 * JSON. Under tap each promise is watched, which would be most of the work of so many nodes.
 * @module
 */

import process from 'node:process'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { verifyMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { blackhole, holders, mesh, type MeshNode } from './mesh-node.ts'
import { until } from './transports.ts'

export interface LargeMeshReport {
  /** Holders of each of four records. */
  readonly holders: readonly number[]
  /** ms of each resolve, by what state the mesh was in: all of them gave the right record. */
  readonly all: readonly number[]
  readonly halfStopped: readonly number[]
  readonly halfSilent: readonly number[]
}

const platform = nodePlatform()
// the process ends with the report
const forever = { teardown: () => undefined }

async function resolveAll(
  askers: readonly MeshNode[],
  mailboxes: readonly MailboxId[],
): Promise<number[]> {
  const tookMs: number[] = []
  for (const [n, node] of askers.entries()) {
    const startMs = performance.now()
    const mailbox = mailboxes[n % mailboxes.length] as MailboxId
    const { record } = verifyMailboxRecord(platform, await node.directory.resolve(mailbox, []))
    if (record.seq !== 1) throw new Error(`resolved record ${record.seq}`)
    tookMs.push(Math.round(performance.now() - startMs))
    // the next time the mesh is asked
    node.forget()
  }
  return tookMs
}

const nodes = await mesh(forever, 20)
const owners = await Promise.all(nodes.slice(0, 4).map(async (node) => node.host()))
const mailboxes = owners.map(({ mailbox }) => mailbox)
await until(
  () => mailboxes.every((mailbox) => holders(nodes, mailbox) >= 12),
  'each record has holders in both halves',
)
const all = await resolveAll(nodes.slice(4), mailboxes)

const [gone, left] = [nodes.slice(0, 10), nodes.slice(10)]
await Promise.all(gone.map(async (node) => node.stop()))
const halfStopped = await resolveAll(left, mailboxes)
await Promise.all(gone.map(async ({ port }) => blackhole(forever, port)))
const halfSilent = await resolveAll(left, mailboxes)

const report: LargeMeshReport = {
  holders: mailboxes.map((mailbox) => holders(nodes, mailbox)),
  all,
  halfStopped,
  halfSilent,
}
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0))
