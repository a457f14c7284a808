import t from 'tap'
import { formatByteCount, parseByteCount } from '../../../src/surface/cli/byte-count.ts'

t.test('sizes as people write them', async (t) => {
  const sizes = {
    '0': 0,
    '7': 7,
    '7B': 7,
    '1 KB': 1000,
    '500MB': 5e8,
    '5GB': 5e9,
    '1.5gb': 1.5e9,
    ' 2 TB ': 2e12,
  }
  for (const [text, bytes] of Object.entries(sizes)) t.equal(parseByteCount(text), bytes, text)
  const wrong = [
    '',
    'GB',
    '-1',
    '1e3',
    '5 GiB',
    '5 PB',
    '1.GB',
    '.5GB',
    '0x10',
    '5GB 1',
    '9'.repeat(17),
  ]
  for (const text of wrong) {
    t.throws(() => parseByteCount(text), { code: 'ABZU_INVALID_ARGUMENT' }, text)
  }
})

t.test('sizes as people read them', async (t) => {
  const texts = [0, 1, 999, 1000, 1_550_000, 1e10, 2 ** 50].map(formatByteCount)
  t.strictSame(texts, ['0 B', '1 B', '999 B', '1 KB', '1.6 MB', '10 GB', '1125.9 TB'])
})
