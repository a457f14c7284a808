/** Writes docs/roles.md from the table of decisions: `npm run -s roles`. @module */

import { writeFileSync } from 'node:fs'
import process from 'node:process'
import {
  actorKinds,
  decisions,
  targetKinds,
  type ActorKind,
  type TargetKind,
} from '../src/user/household/decisions.ts'

const head = `# Roles

Who may do what, and to whom. This page is made from \`src/user/household/decisions.ts\` by \`npm run -s roles\`, and a test holds it
against the code. **What has no row is denied**, with \`ABZU_DENIED\` (exit code 77, status 403).

- The *owner* is whoever can open the daemon's socket and shows no session: the user of the machine under whom the daemon runs. Nobody else can
  open it. The owner runs the node and lets people in, and has no way into an account.
- *Self* is the actor's own account; another account is named by its role.
- A Guest's keys are on the guest's own device: nobody makes a Guest's account here, and nothing of it can be inspected.
- A row is necessary and not always enough: the last Admin cannot go, and a password is asked where a key is needed.
`

const columns: Readonly<Record<ActorKind, string>> = {
  owner: 'owner',
  admin: 'Admin',
  adult: 'Adult',
  child: 'Child',
  guest: 'Guest',
}

const targets: Readonly<Record<TargetKind, string>> = {
  node: 'the node',
  self: 'self',
  admin: 'an Admin',
  adult: 'an Adult',
  child: 'a Child',
  guest: 'a Guest',
}

/** The page, in Markdown. */
export function rolesPage(): string {
  const rows = Object.entries<Readonly<Partial<Record<TargetKind, readonly ActorKind[]>>>>(
    decisions,
  ).flatMap(([operation, rule]) =>
    targetKinds.flatMap((target) => {
      const allowed = rule[target]
      if (!allowed) return []
      const cells = actorKinds.map((actor) => (allowed.includes(actor) ? 'yes' : 'no'))
      return [`| \`${operation}\` | ${targets[target]} | ${cells.join(' | ')} |`]
    }),
  )
  const titles = actorKinds.map((actor) => columns[actor]).join(' | ')
  const line = actorKinds.map(() => '---').join('|')
  return `${head}\n| operation | on | ${titles} |\n|---|---|${line}|\n${rows.join('\n')}\n`
}

if (import.meta.main) {
  writeFileSync('docs/roles.md', rolesPage())
  process.stdout.write('docs/roles.md\n')
}
