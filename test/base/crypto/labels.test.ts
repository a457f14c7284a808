import t from 'tap'
import { labels } from '../../../src/base/crypto/labels.ts'
import { fromUtf8, toHex } from '../../../src/base/util/bytes.ts'

const texts = Object.values(labels).map((label) => fromUtf8(label) ?? '')

t.ok(texts.length >= 20, 'there are labels')
t.equal(new Set(texts).size, texts.length, 'each is unique')
for (const text of texts) {
  t.match(text, /^abzu\/v1\/[a-z-]+\0$/)
  t.notOk(
    texts.some((other) => other !== text && other.startsWith(text)),
    `nothing begins with ${text.slice(0, -1)}`,
  )
}
t.equal(toHex(labels.letter), '61627a752f76312f6c657474657200', 'the bytes are those of the text')
