/**
 * Texts that a terminal might obey or that show other than they are: written from the standards
 * (ECMA-48, UAX #9, UTR #36), not from our own list.
 * @module
 */

const hidden = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  0xad, // soft hyphen
  0x61c, // Arabic letter mark
  0x180e, // Mongolian vowel separator
  0x200b, // zero width space
  0x200e, // left-to-right mark
  0x200f, // right-to-left mark
  ...range(0x2028, 0x202e), // line and paragraph separator, embeddings, overrides
  ...range(0x2060, 0x206f), // invisible operators, isolates, deprecated format characters
  0xfeff, // byte order mark
  ...range(0xfff9, 0xfffb), // interlinear annotation
  0xe0001,
  ...range(0xe0020, 0xe007f), // tags
]

/** Whole sequences: titles, clipboards, hyperlinks, cursor, colours, modes, keys, files, answerback. */
const sequences = [
  '0;title',
  '2;title',
  '4;1;rgb:0/0/0',
  '8;;http://evil/\u0007click\u001b]8;;',
  '9;note',
  '10;?',
  '11;?',
  '50;?',
  '52;c;cm0gLXJm',
  '777;notify;a;b',
  '1337;File=inline=1:AAAA',
  '7;file://x/',
].flatMap((osc) => [`\u001b]${osc}\u0007`, `\u001b]${osc}\u001b\\`, `\u009d${osc}\u009c`])

const controls = [
  '2J',
  'H',
  '3J',
  '31m',
  '8m',
  '?25l',
  '?1049h',
  '?1000h',
  '6n',
  'c',
  '>c',
  '0c',
  '21t',
  '1;1H',
  '10A',
  '99D',
  '?2004h',
  '4h',
  '5i',
  '?5i',
  '1;2r',
  '!p',
  '18t',
  '200~',
  'M',
  '?1003h',
].flatMap((csi) => [`\u001b[${csi}`, `\u009b${csi}`])

const others = [
  '\u001bc',
  '\u001b7\u001b8',
  '\u001bP+q544e\u001b\\',
  '\u001bPq#0;2;0;0;0\u001b\\',
  '\u001b_Gf=32;AAAA\u001b\\',
  '\u001b^private\u001b\\',
  '\u001bX string\u001b\\',
  '\u001b(0lqk',
  '\u001b#8',
  '\u0090+q\u009c',
  '\u0005',
  'first\rsecond',
  'abc\b\b\bxyz',
  'a\u000bb\u000cc',
  'safe\u202etxt.exe',
  'user\u2066\u2069\u202dadmin\u202c',
  'one\u2028two\u2029three',
  'a\u200bb\u2060c\ufeffd',
  '\ud800',
  'x\udfffy',
  'line\n2026-01-01 00:00 UTC  mother (verified)  00000000000000000000000000000000',
  'line\r\n\u001b[1Aforged',
]

/** At least 200, each with at least one character that must not reach a terminal, or a forged line. */
export const payloads: readonly string[] = [
  ...hidden.map((codePoint) => `a${String.fromCodePoint(codePoint)}b`),
  ...sequences,
  ...controls,
  ...others,
]

/** What `text` must not hold, as code points: whatever is in it besides line feeds and what shows. */
export function dangers(text: string): string[] {
  const found: string[] = []
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0
    const isLineFeed = codePoint === 0x0a
    const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff
    if ((hiddenSet.has(codePoint) && !isLineFeed) || isSurrogate) found.push(codePoint.toString(16))
  }
  return found
}

const hiddenSet = new Set(hidden)

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
