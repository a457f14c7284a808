import { readFileSync } from 'node:fs'
import t from 'tap'
import { rolesPage } from '../../../scripts/roles-page.ts'
import { Authority } from '../../../src/user/household/authority.ts'
import {
  actorKinds,
  decisions,
  isAllowed,
  operations,
  targetKinds,
  type ActorKind,
  type Operation,
  type TargetKind,
} from '../../../src/user/household/decisions.ts'
import { roles, type Role } from '../../../src/user/household/role.ts'

/** Every cell there is. */
const cells = actorKinds.flatMap((actor) =>
  operations.flatMap((operation) =>
    targetKinds.map((target) => ({
      actor,
      operation,
      target,
      is: isAllowed(actor, operation, target),
    })),
  ),
)

t.test('the page is made of the table', async (t) => {
  t.equal(readFileSync('docs/roles.md', 'utf8'), rolesPage(), 'npm run -s roles')
})

t.test('I20: the authority answers every cell as the table has it', async (t) => {
  const id = (role: Role): string => `the ${role}`
  const authority = new Authority({
    accountOf: (name) => {
      const role = roles.find((one) => id(one) === name || `other ${one}` === name)
      if (!role) throw new Error(`no ${name}`)
      return { id: name, role }
    },
  })
  const allowed = (actor: ActorKind, operation: Operation, target: TargetKind): boolean => {
    const who = actor === 'owner' ? undefined : { id: id(actor), role: actor }
    const aim = target === 'node' || target === 'self' ? target : { account: `other ${target}` }
    try {
      authority.expect(who, operation, aim)
      return true
    } catch (error) {
      t.match(error, { code: 'ABZU_DENIED' })
      return false
    }
  }
  let asked = 0
  for (const { actor, operation, target, is } of cells) {
    const rule: Partial<Record<TargetKind, readonly ActorKind[]>> = decisions[operation]
    t.equal(is, rule[target]?.includes(actor) ?? false)
    t.equal(allowed(actor, operation, target), is, `${actor} ${operation} ${target}`)
    asked++
    if (actor === 'owner' || target !== 'self') continue
    const own = { id: id(actor), role: actor }
    const byName = (): void => authority.expect(own, operation, { account: own.id })
    if (is) byName()
    else t.throws(byName, { code: 'ABZU_DENIED' }, `${actor} ${operation}, named`)
  }
  t.equal(asked, actorKinds.length * operations.length * targetKinds.length)
})

t.test('what must never be in the table', async (t) => {
  const yes = cells.filter(({ is }) => is)
  t.ok(yes.length > 50 && yes.length < cells.length / 3, `${yes.length} of ${cells.length}`)
  const own = /^(account\.lock|contact|strangers|message)/
  for (const { actor, operation, target } of yes) {
    const cell = `${actor} ${operation} ${target}`
    if (own.test(operation))
      t.ok(target === 'self' && actor !== 'owner', `${cell}: one's own alone`)
    if (actor === 'guest' || actor === 'child') {
      t.ok(target === 'node' || target === 'self', `${cell}: nothing of others`)
      t.notMatch(operation, /settings|trust|invite|revoke|create/, cell)
    }
    if (operation === 'account.create') t.not(target, 'guest', 'the node has no key of a guest')
    if (target === 'admin') t.notMatch(cell, /^(adult|child|guest)/, 'an Admin is made by an Admin')
  }
  for (const operation of operations) t.notOk(isAllowed('child', operation, 'admin'))
  t.notOk(isAllowed('child', 'strangers.change', 'self'), 'strangers cannot reach a Child')
})
