import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { CanaryScanner, patternsOf, textCanary } from './canary-scan.ts'

const canary = textCanary('word', 'canary-4711-rhubarb')
const scanner = new CanaryScanner([canary, { name: 'key', bytes: Buffer.alloc(32, 0xa7) }])

t.test('every form is found, wherever it lies', async (t) => {
  const text = 'canary-4711-rhubarb'
  const planted: Record<string, Buffer> = {
    raw: Buffer.from(`...${text}...`),
    utf16le: Buffer.from(`...${text}...`, 'utf16le'),
    hex: Buffer.from(`x${Buffer.from(`..${text}.`).toString('hex')}x`),
    HEX: Buffer.from(Buffer.from(`..${text}.`).toString('hex').toUpperCase()),
  }
  for (const encoding of ['base64', 'base64url'] as const) {
    for (const before of [0, 1, 2, 3, 4, 5]) {
      const wrapped = Buffer.from(`${'?'.repeat(before)}${text}~~~`).toString(encoding)
      planted[`${encoding} behind ${before}`] = Buffer.from(`"${wrapped}"`)
    }
  }
  t.equal(Object.keys(planted).length, 16)
  for (const [form, bytes] of Object.entries(planted)) {
    t.match(scanner.scan(bytes, 'memory'), [{ canary: 'word', where: 'memory' }], form)
  }
  t.equal(patternsOf(canary).length, 10)
})

t.test('what is not there is not found', async (t) => {
  const noise = Buffer.from('canary-4711-rhubar canary-4712-rhubarb '.repeat(1000))
  t.same(scanner.scan(noise, 'noise'), [])
  t.same(scanner.scan(Buffer.alloc(31, 0xa7), 'less than the key'), [])
  t.match(scanner.scan(Buffer.alloc(32, 0xa7), 'the key'), [{ canary: 'key', form: 'raw' }])
})

t.test('files of a directory, and their names; none is an error', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'abzu-canary-'))
  await t.rejects(scanner.scanDirectory(dir), /no file/)
  writeFileSync(join(dir, 'canary-4711-rhubarb'), 'nothing')
  writeFileSync(join(dir, 'other'), Buffer.alloc(40, 0xa7))
  const found = await scanner.scanDirectory(dir)
  t.same(found.map(({ canary, form }) => `${canary} ${form}`).toSorted(), ['key raw', 'word raw'])
  t.throws(() => new CanaryScanner([textCanary('short', 'abc')]), /too short/)
})
