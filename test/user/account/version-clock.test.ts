import t from 'tap'
import { VersionClock } from '../../../src/user/account/version-clock.ts'

t.test('versions rise whatever the wall clock does', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1)
  const versions = new VersionClock({ nowMs: () => nowMs })
  let last = 0
  for (const jumpMs of [0, 0, 1, 1000, -5000, 0, -10 * 365 * 86_400_000, 0, 1e12, -1e12, 0, 0.5]) {
    nowMs += jumpMs
    const version = versions.next()
    t.ok(version > last && Number.isSafeInteger(version), `${jumpMs} ms`)
    last = version
  }
})

t.test('a version is above every version that was seen', async (t) => {
  const versions = new VersionClock({ nowMs: () => 1_760_000_000_000 })
  const [before, far] = [versions.next(), 2 ** 52]
  versions.observe(before - 10)
  t.equal(versions.next(), before + 1)
  versions.observe(far)
  t.equal(versions.next(), far + 1)
})

t.test('another start follows the clock', async (t) => {
  const clock = { nowMs: () => 1_760_000_000_000 }
  const first = new VersionClock(clock).next()
  const later = new VersionClock({ nowMs: () => clock.nowMs() + 1 })
  t.ok(later.next() > first + 1000, 'room for a thousand versions in a ms')
  t.ok(Number.isSafeInteger(new VersionClock({ nowMs: () => 8.64e15 }).next()))
})
