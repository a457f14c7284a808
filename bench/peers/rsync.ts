/** A folder of files brought to a daemon of rsync, which compares by listing them all. @module */

import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, freePort, startChild, untilListening } from '../child.ts'
import type { Copier, CopierInit, CopierKind } from './copier.ts'

const program = 'rsync'

export const rsync: CopierKind = {
  name: 'rsync',
  promise: 'a file an item, --fsync',
  missing: () => (findProgram(program) ? undefined : `${program} is not installed`),
  start: startDaemon,
}

async function startDaemon({
  dir,
  items,
  itemBytes,
  scheduler,
  signal,
  open,
}: CopierInit): Promise<Copier> {
  const [from, to] = [join(dir, 'from'), join(dir, 'to')] as const
  await mkdir(from)
  for (let n = 0; n < items; n++) await writeFile(join(from, String(n)), randomBytes(itemBytes))
  const configFile = join(dir, 'rsyncd.conf')
  // Only root may change to whom the files belong, and has to say so.
  const owner = process.getuid?.() === 0 ? 'uid = 0\ngid = 0\n' : ''
  await writeFile(configFile, `use chroot = no\n${owner}[mailbox]\npath = ${to}\nread only = no\n`)
  const port = await freePort()
  const init = { command: findProgram(program) ?? program, scheduler, logFile: join(dir, 'log') }
  const place = ['--address=127.0.0.1', `--port=${port}`, `--config=${configFile}`]
  const args = ['--daemon', '--no-detach', ...place]
  const daemon = open.add(await startChild({ ...init, args }))
  await untilListening(daemon, port, { scheduler, signal })
  return {
    async clear() {
      await rm(to, { recursive: true, force: true })
      await mkdir(to)
    },
    async copy() {
      const target = `rsync://127.0.0.1:${port}/mailbox/`
      const args = ['--archive', '--fsync', `${from}/`, target]
      const client = open.add(await startChild({ ...init, args }))
      await client.exited
      const { length } = await readdir(to)
      if (length !== items) throw new Error(`rsync brought ${length} files of ${items}`)
    },
  }
}
