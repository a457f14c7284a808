/**
 * Who may act as which account. A session is a bearer token bound to one unlocking of one account;
 * only its hash is kept, and only in memory.
 * @module
 */

import { timingSafeEqual } from 'node:crypto'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { utf8 } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { apiLimits } from './api-limits.ts'
import type { AccountsService, MemberService } from './services.ts'

export interface SessionsDeps {
  readonly accounts: Pick<AccountsService, 'member'>
  readonly platform: Pick<CryptoPlatform, 'random' | 'sha256'>
  readonly clock: Pick<Clock, 'monotonicMs'>
}

export interface SessionsInit {
  /** A session that nobody uses for so long ends. */
  readonly idleMs: number
}

interface Session {
  readonly hash: Uint8Array
  readonly member: MemberService
  readonly usedAtMs: number
}

const tokenBytes = 32

export class Sessions {
  readonly #deps: SessionsDeps
  readonly #init: SessionsInit
  /** Least recently used first. */
  #sessions: readonly Session[] = []

  constructor(deps: SessionsDeps, init: SessionsInit) {
    this.#deps = deps
    this.#init = init
  }

  /** Begins a session and returns its token, which is not kept: 32 random bytes, base64url. */
  open(member: MemberService): string {
    const { platform, clock } = this.#deps
    const token = Buffer.from(platform.random(tokenBytes)).toString('base64url')
    const session = { hash: this.#hashOf(token), member, usedAtMs: clock.monotonicMs() }
    this.#dropIdle()
    const own = this.#sessions.filter((other) => other.member.id === member.id)
    const [oldest] = own.length < apiLimits.accountSessionsMax ? [] : own
    this.#sessions = [...this.#sessions.filter((other) => other !== oldest), session].slice(
      -apiLimits.sessionsMax,
    )
    return token
  }

  /** The account that the token's session acts as; keeps the session alive.
   *  @throws {AbzuError} ABZU_SESSION_INVALID; ABZU_LOCKED where the account was locked meanwhile,
   *  which ends its sessions */
  member(token: string): MemberService {
    this.#dropIdle()
    const session = this.#find(token)
    if (session === undefined) throw invalidSession()
    const { id } = session.member
    try {
      // after a lock and another unlocking, who has only the old token does not come in
      if (this.#deps.accounts.member(id) !== session.member) throw invalidSession()
    } catch (error) {
      this.#sessions = this.#sessions.filter((other) => other !== session)
      throw error
    }
    this.#sessions = [
      ...this.#sessions.filter((other) => other !== session),
      { ...session, usedAtMs: this.#deps.clock.monotonicMs() },
    ]
    return session.member
  }

  /** Ends every session of an account. */
  endAll(accountId: string): void {
    this.#sessions = this.#sessions.filter(({ member }) => member.id !== accountId)
  }

  /** Compares with every session, each in constant time. */
  #find(token: string): Session | undefined {
    const hash = this.#hashOf(token)
    let found: Session | undefined
    for (const session of this.#sessions) if (timingSafeEqual(session.hash, hash)) found = session
    return found
  }

  #hashOf(token: string): Uint8Array {
    return this.#deps.platform.sha256(utf8(token))
  }

  #dropIdle(): void {
    const now = this.#deps.clock.monotonicMs()
    this.#sessions = this.#sessions.filter(({ usedAtMs }) => now - usedAtMs < this.#init.idleMs)
  }
}

function invalidSession(): AbzuError {
  return new AbzuError('ABZU_SESSION_INVALID', 'the session has ended, or never was one')
}
