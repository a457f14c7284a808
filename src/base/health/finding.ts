/** What an examination of the node found: what is wrong, what that means and what to do. @module */

/** `note`: worth knowing. `warning`: something will go wrong, or does not work as it could. `error`: it does. */
export const severities = ['ok', 'note', 'warning', 'error'] as const
export type Severity = (typeof severities)[number]

export interface Finding {
  /** What was looked at: kebab-case, the same in every version. */
  readonly check: string
  readonly severity: Severity
  readonly found: string
  /** Left out where all is well. */
  readonly means?: string | undefined
  readonly remedy?: string | undefined
}

/** A check that found nothing wrong. */
export function fine(check: string, found: string): Finding {
  return { check, severity: 'ok', found }
}
