/** Passwords and keys of people who have none: what the API needs, in memory. @module */

import { AbzuError } from '../../src/base/util/errors.ts'
import type { DeviceSummary, KeysService, MemberService } from '../../src/surface/api/services.ts'

/** Of the fake accounts, as far as keys go. */
export interface KeptPasswords {
  /** Throws where the account or its password is another one. */
  expect(nameOrId: string, password: Uint8Array): void
  set(nameOrId: string, password: Uint8Array): void
  /** Locks it and opens it as another object. */
  reopen(nameOrId: string): MemberService
}

export class FakeKeys implements KeysService {
  readonly #kept: KeptPasswords
  /** What `rotate` was called with, the password apart. */
  readonly rotated: { account: string; words?: readonly string[]; revoke?: readonly string[] }[] =
    []
  readonly listed: DeviceSummary[] = [{ id: '0123456789abcdef', here: true, docSeq: 3 }]

  constructor(kept: KeptPasswords) {
    this.#kept = kept
  }

  async changePassword(
    nameOrId: string,
    { password, next }: { readonly password: Uint8Array; readonly next: Uint8Array },
  ): Promise<void> {
    this.#kept.expect(nameOrId, password)
    this.#kept.set(nameOrId, next)
  }

  async rotate(
    nameOrId: string,
    init: Parameters<KeysService['rotate']>[1],
  ): Promise<MemberService> {
    const { words, password, revoke } = init
    if (words?.includes('wrong')) throw new AbzuError('ABZU_WORDS_INVALID', 'other words')
    if (words && !revoke) this.#kept.set(nameOrId, password)
    else this.#kept.expect(nameOrId, password)
    this.rotated.push({ account: nameOrId, ...(words && { words }), ...(revoke && { revoke }) })
    return this.#kept.reopen(nameOrId)
  }

  async devices(): Promise<readonly DeviceSummary[]> {
    return this.listed
  }
}
