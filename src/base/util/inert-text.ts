/**
 * Makes remote text harmless to show: no control byte reaches a terminal, and no character that cannot be
 * seen reorders, hides or doubles what a person reads.
 * @module
 */

/** Scripts whose spelling needs joiners. */
const joining = [
  'Arabic',
  'Syriac',
  'Nko',
  'Mongolian',
  'Devanagari',
  'Bengali',
  'Gurmukhi',
  'Gujarati',
  'Oriya',
  'Tamil',
  'Telugu',
  'Kannada',
  'Malayalam',
  'Sinhala',
  'Khmer',
  'Myanmar',
]
  .map((script) => `\\p{Script_Extensions=${script}}`)
  .join('')

/** What may stand beside a joiner: parts of an emoji, letters and vowel signs of those scripts. */
const joined = `[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\uFE0F${joining}]`

/** Characters that are never shown as they are. Allowed for their use in writing: a joiner inside a word of a
 *  script that needs it or inside an emoji, the emoji and text style selectors behind a pictograph, the keycap's
 *  behind its digit, and a variation selector behind a Han character. */
const dangerous = new RegExp(
  [
    // Control characters but line feed; line and paragraph separators; lone surrogates; noncharacters.
    '(?!\\n)\\p{Cc}',
    '[\\p{Zl}\\p{Zp}\\p{Cs}\\p{Noncharacter_Code_Point}]',
    // Interlinear annotation, which some programs hide.
    '[\\uFFF9-\\uFFFB]',
    `(?<!${joined})[\\u200C\\u200D]`,
    `[\\u200C\\u200D](?!${joined})`,
    '(?<!\\p{Extended_Pictographic})[\\uFE0E\\uFE0F](?!\\u20E3)',
    '(?<!\\p{Extended_Pictographic}|[0-9#*])[\\uFE0E\\uFE0F](?=\\u20E3)',
    '(?<!\\p{Script=Han})[\\u{E0100}-\\u{E01EF}]',
    // Everything else that shows nothing: bidirectional controls, fillers, tags, zero-width spaces.
    '(?![\\u200C\\u200D\\uFE0E\\uFE0F\\u{E0100}-\\u{E01EF}])\\p{Default_Ignorable_Code_Point}',
  ].join('|'),
  'gu',
)

function shown(character: string): string {
  const codePoint = character.codePointAt(0) as number
  return `<U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}>`
}

/** `text` in NFC with each dangerous character shown as its code point, e.g. `<U+001B>`. Lines end in a
 *  line feed, whether they did so alone or behind a carriage return. */
export function inertText(text: string): string {
  return text.normalize('NFC').replaceAll('\r\n', '\n').replace(dangerous, shown)
}

/** As `inertText`, on one line and at most `charactersMax` UTF-16 units long: for names and log fields. */
export function inertLine(text: string, charactersMax = 120): string {
  const line = inertText(text).replaceAll('\n', '<U+000A>')
  if (line.length <= charactersMax) return line
  // Not half a surrogate pair, nor a joiner without what it joins.
  return `${line.slice(0, charactersMax - 1).replace(/[\uD800-\uDBFF\u200C\u200D]+$/, '')}…`
}
