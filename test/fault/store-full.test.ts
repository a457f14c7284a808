import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { FullDiskReport } from '../support/store-full-disk.ts'
import { tempHome } from '../support/temp-home.ts'

const script = new URL('../support/store-full-disk.ts', import.meta.url).pathname

/** Runs the filling of a disk of so many KiB, mounted where only it can see it. */
async function fillDisk(disk: string, sizeKiB: number): Promise<FullDiskReport> {
  mkdirSync(disk)
  const mount = `mount -t tmpfs -o size=${sizeKiB}k,mode=700 tmpfs "$0" && exec "$1" "$2" "$0"`
  const { stdout } = await promisify(execFile)(
    'unshare',
    ['-m', 'sh', '-c', mount, disk, process.execPath, script],
    { env: { ...process.env, NODE_OPTIONS: '' }, timeout: 90_000 },
  )
  return JSON.parse(stdout) as FullDiskReport
}

t.test('I11: a full disk loses nothing that was acknowledged, and can be cleaned', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const sizesKiB = [1024, 1500, 2048, 3000, 4096, 5500, 8192, 11_000, 14_000, 16_384]
  const fill = async (sizeKiB: number) => {
    const report = await fillDisk(join(home, `${sizeKiB}`), sizeKiB)
    const { acked, removed, ...found } = report
    t.strictSame(
      found,
      {
        fillError: 'ABZU_DISK_FULL',
        freeBytes: 0,
        lost: 0,
        isSound: true,
        appendWhileFull: 'ABZU_DISK_FULL',
        lostAfterRemoval: 0,
        appendWithSpace: 'ok',
      },
      `${sizeKiB} KiB`,
    )
    t.ok(acked > 0 && (removed ?? 0) > 0, `${acked} items`)
  }
  for (let n = 0; n < sizesKiB.length; n += 5) await Promise.all(sizesKiB.slice(n, n + 5).map(fill))
})

t.test('I11: a disk too small for a store is refused with the right error', async (t) => {
  const report = await fillDisk(join(tempHome(t).ABZU_HOME, 'tiny'), 16)
  t.match(report, { acked: 0, openError: 'ABZU_DISK_FULL' })
})
