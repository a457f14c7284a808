/**
 * Makes remote text harmless to show: no control byte reaches a terminal, no bidirectional or
 * invisible character reorders what a person reads.
 * @module
 */

/** C0 (but not line feed), DEL, C1, line and paragraph separators, bidirectional controls, zero-width
 *  and deprecated format characters, tags, interlinear annotation, lone surrogates. */
const dangerous =
  // oxlint-disable-next-line no-control-regex -- these are the very characters that are taken out
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Surrogate}|[\u{e0000}-\u{e007f}]/gu

/** `text` in NFC with each dangerous character shown as its code point, e.g. `<U+001B>`.
 *  Line feeds stay. */
export function inertText(text: string): string {
  return text.normalize('NFC').replace(dangerous, (character) => {
    const codePoint = character.codePointAt(0) as number
    return `<U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}>`
  })
}

/** As `inertText`, on one line and at most `charactersMax` characters: for names and log fields. */
export function inertLine(text: string, charactersMax = 120): string {
  const line = inertText(text).replaceAll('\n', '<U+000A>')
  return line.length <= charactersMax ? line : `${line.slice(0, charactersMax - 1)}…`
}
