import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { examineHome, space } from '../../../src/base/health/node-home.ts'
import { tempHome } from '../../support/temp-home.ts'

const mebibyte = 1024 * 1024

t.test('a home for its owner only, and what is open in one', async (t) => {
  const home = tempHome(t).ABZU_HOME
  mkdirSync(join(home, 'store'), { mode: 0o700 })
  writeFileSync(join(home, 'store', 'log'), '', { mode: 0o600 })
  writeFileSync(join(home, 'config.json'), '{}', { mode: 0o644 })
  symlinkSync('/etc/passwd', join(home, 'link'))
  t.match(await examineHome(home), [
    { check: 'permissions', severity: 'ok' },
    { check: 'disk-space', severity: 'ok' },
  ])
  for (const [path, closed, open] of [
    [join(home, 'store', 'log'), 0o600, 0o640],
    [join(home, 'store'), 0o700, 0o701],
    [home, 0o700, 0o755],
  ] as const) {
    chmodSync(path, open)
    const [finding] = await examineHome(home)
    t.match(finding, { check: 'permissions', severity: 'error', means: String, remedy: /chmod/ })
    t.match(finding?.found, path)
    chmodSync(path, closed)
  }
  t.match(await examineHome(home), [{ severity: 'ok' }, {}])
})

t.test('no home, and one that is no directory', async (t) => {
  const home = tempHome(t).ABZU_HOME
  rmSync(home, { recursive: true })
  t.match(await examineHome(home), [{ check: 'home', severity: 'note', remedy: 'abzu start' }])
  writeFileSync(home, '')
  const findings = await examineHome(home)
  t.match(findings[0], { check: 'permissions', severity: 'error', found: /ENOTDIR/ })
  t.match((await examineHome(join(home, 'x')))[0], { check: 'home', severity: 'error' })
})

t.test('room on the disk', async (t) => {
  const disk = { bsize: 4096, files: 1e6, ffree: 1e6 }
  const severityOf = (freeMebibytes: number, more = {}) =>
    space('/home', { ...disk, bavail: (freeMebibytes * mebibyte) / 4096, ...more }).severity
  t.equal(severityOf(10_000), 'ok')
  t.equal(severityOf(512), 'ok')
  t.equal(severityOf(511), 'warning')
  t.equal(severityOf(128), 'warning')
  t.equal(severityOf(127), 'error')
  t.equal(severityOf(0), 'error')
  t.equal(severityOf(10_000, { ffree: 10 }), 'warning')
  t.equal(severityOf(10_000, { files: 0, ffree: 0 }), 'ok', 'a file system that does not count')
})
