import type { Account } from './account.ts'

/** What an unlocked account owes itself each hour: a record that says where it lives, a fresh prekey,
 *  open doors for its contacts, and nothing kept that has had its time.
 *  @param init.drain as in Prekeys.destroyExpired
 *  @throws {AbzuError} ABZU_ACCOUNT_MOVED where it lives at another node now; those of the store */
export async function upkeep(
  account: Account,
  init: { drain: () => Promise<ReadonlySet<string>>; signal: AbortSignal },
): Promise<void> {
  const { prekeys, doors, acknowledgements } = account
  const steps = [
    async () => {
      const ahead = await account.recordAhead()
      if (ahead) await prekeys.surpass(ahead)
    },
    async () => prekeys.follow(async (named) => account.holders.after(named)),
    async () => prekeys.rotateIfDue(),
    async () => account.write([...doors.upkeep(), ...acknowledgements.expired()]),
    async () => prekeys.destroyExpired(init.drain),
  ]
  for (const step of steps) {
    init.signal.throwIfAborted()
    await step()
    // a clock that may be years ahead destroys no key, shuts no door and makes no prekey
    if (account.clock.doubt?.()) return
  }
}
