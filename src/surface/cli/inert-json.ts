/** Control, format, private and unassigned characters, separators of lines and paragraphs, and
 *  whatever else is invisible. */
const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** JSON on one line that shows as it is: what a terminal might obey or a person not see is written
 *  as `\uXXXX`. Parsed, it is the same value. */
export function inertJson(value: unknown): string {
  return JSON.stringify(value).replace(unseen, (character) => {
    let escaped = ''
    for (let unit = 0; unit < character.length; unit++) {
      escaped += `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`
    }
    return escaped
  })
}
