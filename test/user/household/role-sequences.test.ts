/** Whatever people do one after the other, nobody gets a role that the table does not give. */

import t from 'tap'
import fc from 'fast-check'
import { isAbzuError } from '../../../src/base/util/errors.ts'
import type { AccountManager } from '../../../src/user/household/account-manager.ts'
import { Authority, type Actor, type Aim } from '../../../src/user/household/authority.ts'
import type { Operation } from '../../../src/user/household/decisions.ts'
import type { Role } from '../../../src/user/household/role.ts'
import { password, World } from '../../support/household.ts'

const rank: Readonly<Record<Role, number>> = { guest: 0, child: 1, adult: 2, admin: 3 }
const hosted = ['admin', 'adult', 'child'] as const

interface Act {
  readonly operation: Operation
  readonly aim: (target: string) => Aim
  readonly run: (manager: AccountManager, who: { by: string; on: string }) => Promise<unknown>
}

const account = (target: string): Aim => ({ account: target })
const acts: Readonly<Record<'make' | 'unmake' | 'let' | 'grow' | 'remove' | 'keep', Act>> = {
  make: {
    operation: 'admin.make',
    aim: account,
    run: async (manager, { on }) => manager.makeAdmin(on),
  },
  unmake: {
    operation: 'admin.unmake',
    aim: account,
    run: async (manager, { on }) => manager.unmakeAdmin(on),
  },
  let: {
    operation: 'child.let-grow-up',
    aim: account,
    run: async (manager, { on }) => manager.letGrowUp(on, 0),
  },
  grow: {
    operation: 'child.grow-up',
    aim: () => 'self',
    run: async (manager, { by }) => manager.growUp(by),
  },
  remove: {
    operation: 'account.delete',
    aim: account,
    run: async (manager, { on, by }) => manager.remove(on, by),
  },
  keep: {
    operation: 'account.keep',
    aim: account,
    run: async (manager, { on }) => manager.keep(on),
  },
}

interface Step {
  readonly act: keyof typeof acts | 'create'
  /** Whose turn it is and on whom, of those who are there; the owner of the machine where it is the last. */
  readonly by: number
  readonly on: number
  readonly role: (typeof hosted)[number]
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  act: fc.constantFrom(...(Object.keys(acts) as (keyof typeof acts)[]), 'create'),
  by: fc.nat(9),
  on: fc.nat(9),
  role: fc.constantFrom(...hosted),
})

t.test('I20: no sequence of operations gives a role more than the table', async (t) => {
  let [done, refused, raised] = [0, 0, 0]
  const property = fc.asyncProperty(
    fc.array(anyStep, { minLength: 4, maxLength: 16 }),
    async (steps) => {
      const world = new World()
      const manager = await world.manager(world.node())
      const authority = new Authority({ accountOf: (nameOrId) => manager.get(nameOrId) })
      for (const [n, role] of [...hosted, 'adult' as const].entries()) {
        await manager.create({ name: `first ${n}`, role, password })
      }
      /** Children of whom an Admin has said that they may grow up. */
      const mayGrow = new Set<string>()
      const rolesNow = () => new Map(manager.list().map(({ id, role }) => [id as string, role]))
      for (const [n, step] of steps.entries()) {
        const before = rolesNow()
        const ids = [...before.keys()]
        const by = ids[step.by % (ids.length + 1)]
        const on = ids[step.on % ids.length] as string
        const actor: Actor = by === undefined ? undefined : { id: by, role: before.get(by) as Role }
        try {
          if (step.act === 'create') {
            authority.expect(actor, 'account.create', { role: step.role })
            await manager.create({ name: `person ${n}`, role: step.role, password })
          } else {
            const act = acts[step.act]
            authority.expect(actor, act.operation, act.aim(on))
            await act.run(manager, { by: by as string, on })
            if (step.act === 'let') mayGrow.add(on)
          }
          done++
        } catch (error) {
          if (!isAbzuError(error)) throw error
          refused++
        }
        const after = rolesNow()
        if (![...after.values()].includes('admin')) return false
        for (const [id, role] of after) {
          const had = before.get(id)
          const isMore = rank[role] > (had === undefined ? -1 : rank[had])
          if (!isMore) continue
          raised++
          const isByAdmin = actor?.role === 'admin'
          const isRight =
            had === undefined
              ? step.act === 'create' &&
                (actor === undefined || isByAdmin || (actor.role === 'adult' && role !== 'admin'))
              : had === 'adult'
                ? step.act === 'make' && isByAdmin && id === on
                : step.act === 'grow' && id === by && mayGrow.has(id) && role === 'adult'
          if (!isRight) return false
        }
      }
      await manager.close()
      return true
    },
  )
  await fc.assert(property, { numRuns: 50 })
  t.ok(
    done > 20 && refused > 20 && raised > 10,
    `${done} done, ${refused} refused, ${raised} raised`,
  )
})
