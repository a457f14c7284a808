import type { Answer } from '../client/routes.ts'

/** What a person is told of who looked at its messages, an entry a line. */
export function auditLines({ entries, missing }: Answer<'audit'>): string[] {
  const lost = missing === 0 ? [] : [`${missing} earlier entries are lost`]
  return [...lost, ...entries.map(lineOf)]
}

function lineOf({ kind, byName, at, from, until, reason }: Answer<'audit'>['entries'][number]) {
  if (kind === 'refused') return `${at}  ${byName} tried to look at your messages, and was refused`
  return `${at}  ${byName} looked at messages from ${from} to ${until}, because ${reason}`
}
