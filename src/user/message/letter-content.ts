import { AbzuError } from '../../base/util/errors.ts'
import {
  auditEntryShape,
  helloBodyShape,
  readBodyShape,
  shareBodyShape,
  textBodyShape,
  type AuditEntry,
  type HelloBody,
  type Letter,
  type ReadBody,
  type ShareBody,
  type TextBody,
} from '../../base/wire/letter.ts'
import { decodeShape } from '../../base/wire/shape.ts'

export type LetterContent =
  | { readonly type: 'text'; readonly body: TextBody }
  | { readonly type: 'hello'; readonly body: HelloBody }
  | { readonly type: 'read'; readonly body: ReadBody }
  | { readonly type: 'share'; readonly body: ShareBody }
  | { readonly type: 'oversight'; readonly body: AuditEntry }

/** What a letter says.
 *  @throws {AbzuError} ABZU_MALFORMED, of a type that we do not know too */
export function letterContent({ type, body }: Letter): LetterContent {
  switch (type) {
    case 'text':
      return { type, body: decodeShape(textBodyShape, body, 'text letter') }
    case 'hello':
      return { type, body: decodeShape(helloBodyShape, body, 'hello letter') }
    case 'read':
      return { type, body: decodeShape(readBodyShape, body, 'read letter') }
    case 'share':
      return { type, body: decodeShape(shareBodyShape, body, 'share letter') }
    case 'oversight':
      return { type, body: decodeShape(auditEntryShape, body, 'audit entry') }
    default:
      throw new AbzuError('ABZU_MALFORMED', 'a letter of an unknown type')
  }
}
