import type { Database } from '../../src/base/store/database.ts'

/** `database` with some of its methods replaced. */
export function wrapDatabase(database: Database, changes: Partial<Database>): Database {
  return new Proxy(database, {
    get(target, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name) as unknown
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
