import { readFileSync } from 'node:fs'

const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')

/** The version in package.json, one folder up from the source as from the build. */
export const { version } = JSON.parse(manifest) as { version: string }
