import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A new empty ABZU_HOME, short enough for a Unix socket, removed after the test. */
export function tempHome(t: Test): { readonly ABZU_HOME: string } {
  const home = mkdtempSync(join(tmpdir(), 'abzu-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  return { ABZU_HOME: home }
}
