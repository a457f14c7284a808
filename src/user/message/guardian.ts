/** What others of its household have decided for an account. One of age has no guardian. @module */

import { AbzuError } from '../../base/util/errors.ts'

/** What was decided of letters to and from one person. */
export type Approval = 'approved' | 'pending' | 'denied' | 'unasked'

export interface Guardian {
  /** By root public key. */
  approvalOf(root: Uint8Array): Approval
  /** Asks for letters to and from somebody. Resolves once the wish is durable, and where it was said before.
   *  @throws {AbzuError} ABZU_DENIED where the answer was no, ABZU_QUOTA_EXCEEDED, those of the store */
  ask(wish: { readonly root: Uint8Array; readonly name: string }): Promise<void>
  /** @throws {AbzuError} ABZU_DENIED where nothing may be sent now */
  expectMaySend(): void
  /** What has arrived since then waits to be shown, ms since 1970; undefined where nothing waits. */
  waitingSince(): number | undefined
  /** Whether entries of the audit may come from this account: one of the household's. */
  mayOversee(root: Uint8Array): boolean
}

/** @throws {AbzuError} ABZU_DENIED where letters to this person are not approved, or none may be sent now */
export function expectMayWrite(guardian: Guardian | undefined, root: Uint8Array): void {
  if (!guardian) return
  guardian.expectMaySend()
  const approval = guardian.approvalOf(root)
  if (approval !== 'approved') throw new AbzuError('ABZU_DENIED', reasons[approval])
}

/** Whether a letter that arrived at `atMs` is shown now. */
export function mayBeShown(
  guardian: Guardian | undefined,
  letter: { readonly from: Uint8Array; readonly atMs: number },
): boolean {
  if (!guardian) return true
  const { from, atMs } = letter
  return guardian.approvalOf(from) === 'approved' && atMs < (guardian.waitingSince() ?? Infinity)
}

const reasons = {
  pending: 'an Admin or Adult of your household has not approved this contact yet',
  unasked: 'an Admin or Adult of your household has to approve this contact first: add it to ask',
  denied: 'an Admin or Adult of your household has said no to this contact',
} as const satisfies Record<Exclude<Approval, 'approved'>, string>
