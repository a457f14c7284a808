/** An item store with other ways of taking mail. @module */

import type { ItemStore } from '../../src/base/store/item-store.ts'

/** `items`, but for how mail is appended. */
export function withAppend(items: ItemStore, append: ItemStore['append']): ItemStore {
  return {
    append,
    has: (mailbox, id) => items.has(mailbox, id),
    find: (mailbox, idPrefix) => items.find(mailbox, idPrefix),
    listed: (mailbox, idPrefix) => items.listed(mailbox, idPrefix),
    putSlots: async (slots, rows, taken) => items.putSlots(slots, rows, taken),
    get: async (mailbox, id) => items.get(mailbox, id),
    getMany: async (mailbox, ids) => items.getMany(mailbox, ids),
    bodies: async (mailbox, listed) => items.bodies(mailbox, listed),
    slot: async (mailbox, key) => items.slot(mailbox, key),
    slots: (mailbox, slotClass) => items.slots(mailbox, slotClass),
    list: async (mailbox, page) => items.list(mailbox, page),
    idPrefixes: async (mailbox, range) => items.idPrefixes(mailbox, range),
    news: (mailbox, range) => items.news(mailbox, range),
    get newest() {
      return items.newest
    },
    last: async (mailbox) => items.last(mailbox),
    remove: async (mailbox, ids, rows) => items.remove(mailbox, ids, rows),
    expire: async (nowHours, limit) => items.expire(nowHours, limit),
    drop: async (mailbox) => items.drop(mailbox),
    erase: async (mailbox) => items.erase(mailbox),
    usage: (mailbox) => items.usage(mailbox),
    digest: (mailbox) => items.digest(mailbox),
  }
}
