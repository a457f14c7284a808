import fc from 'fast-check'
import t from 'tap'
import { inertLine, inertText } from '../../../src/base/util/inert-text.ts'
import { terminalPayloads } from '../../support/terminal-payloads.ts'

/** Blocks of code points that must never come out, told by number and not by the properties that the code uses. */
const never: readonly (readonly [from: number, to: number])[] = [
  [0x00, 0x09],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200b],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfdd0, 0xfdef],
  [0xfe00, 0xfe0d],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0xfffe, 0xffff],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe00ff],
  [0xe01f0, 0xe0fff],
]
/** Allowed in some company only. */
const sometimes = new Set([0x200c, 0x200d, 0xfe0e, 0xfe0f])

function offenders(text: string): string[] {
  return Array.from(text)
    .map((character) => character.codePointAt(0) as number)
    .filter((code) => never.some(([from, to]) => code >= from && code <= to))
    .map((code) => code.toString(16))
}

t.test('no payload gets through', async (t) => {
  t.ok(terminalPayloads.length >= 200, `${terminalPayloads.length} payloads`)
  t.equal(new Set(terminalPayloads).size, terminalPayloads.length)
  for (const payload of terminalPayloads) {
    const shown = inertText(payload)
    const isShown = shown.includes('<U+') && offenders(shown).length === 0
    const isLine = !inertLine(payload).includes('\n') && offenders(inertLine(payload)).length === 0
    if (!isShown || !isLine) t.fail(`${JSON.stringify(payload)} -> ${JSON.stringify(shown)}`)
    if (Array.from(shown).some((c) => sometimes.has(c.codePointAt(0) as number))) {
      t.fail(`a joiner without company: ${JSON.stringify(payload)}`)
    }
  }
})

t.test('nor does any single character of Unicode', async (t) => {
  let shown = 0
  for (let code = 0; code <= 0x10ffff; code++) {
    const out = inertText(`a${String.fromCodePoint(code)}b`)
    if (offenders(out).length > 0) t.fail(`U+${code.toString(16)}`)
    if (out.includes('<U+')) shown++
  }
  t.ok(shown > 2000 && shown < 10_000, `${shown} are shown by number`)
})

t.test('nor any text at all', async () => {
  const nasty = fc.array(
    fc.constantFrom(...terminalPayloads.flatMap((text) => text.split('')), 'é', '字'),
  )
  const any = fc.oneof(
    fc.string({ unit: 'binary' }),
    nasty.map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(any, fc.integer({ min: 1, max: 40 }), (text, charactersMax) => {
      const whole = inertText(text)
      const line = inertLine(text, charactersMax)
      return (
        offenders(whole).length === 0 &&
        offenders(line).length === 0 &&
        !line.includes('\n') &&
        line.length <= charactersMax &&
        whole.isWellFormed() &&
        line.isWellFormed() &&
        inertText(whole) === whole
      )
    }),
    { numRuns: 3000 },
  )
})

t.test('what people write stays as it is', async (t) => {
  const texts = [
    'plain ASCII, äöü, ñ, ß',
    'two\nlines',
    '日本語 中文 한국어',
    'Ελληνικά עברית العربية',
    'می‌خواهم',
    'क्‍ष',
    'ශ්‍රී',
    '👍🏽 👨‍👩‍👧‍👦 👩🏽‍💻 🏳️‍🌈 👁️‍🗨️ ❤️ ❤︎ 🇬🇧 1️⃣ #️⃣',
    '葛\u{E0100}飾区',
    '<b>&amp;</b> <U+001B>',
  ]
  for (const text of texts) t.equal(inertText(text), text.normalize('NFC'))
  t.equal(inertText('e\u0301'), 'é', 'in NFC')
  t.equal(inertText('a\r\nb'), 'a\nb', 'lines of another system')
})

t.test('one line, cut between characters', async (t) => {
  t.equal(inertLine('a\nb'), 'a<U+000A>b')
  t.equal(inertLine('x'.repeat(120)).length, 120)
  t.equal(inertLine('x'.repeat(121)), `${'x'.repeat(119)}…`)
  t.equal(inertLine('😀😀😀', 4), '😀…')
  t.equal(inertLine('👩‍💻abc', 4), '👩…', 'no joiner without its second half')
})

t.test('a large text takes no time worth naming', async (t) => {
  const startedAt = performance.now()
  for (const payload of ['\u202E', '👨‍👩‍👧‍👦', 'x', '\u200D', 'क्‍ष']) {
    inertText(payload.repeat(Math.floor(65_536 / payload.length)))
  }
  const tookMs = performance.now() - startedAt
  t.ok(tookMs < 2000, `${Math.round(tookMs)} ms for five texts of 64 Ki`)
})
