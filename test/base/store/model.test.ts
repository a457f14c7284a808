import { join } from 'node:path'
import t from 'tap'
import { itemStoreFollowsModel } from '../../conformance/item-store-model.ts'
import { openTestStore } from '../../support/store-content.ts'
import { tempHome } from '../../support/temp-home.ts'

/** Caches so small that rows are always dropped. */
const limits = { mailboxesCachedMax: 1, bucketsCachedMax: 1 }

t.test('in memory', async (t) => {
  const open = async () => openTestStore({ dir: undefined, limits })
  const reopen = async <T>(store: T) => store
  await itemStoreFollowsModel(t, { seed: 1, runs: 150, open, reopen })
})

t.test('on disk, opened again now and then', async (t) => {
  const home = tempHome(t).ABZU_HOME
  let stores = 0
  let dir = ''
  await itemStoreFollowsModel(t, {
    seed: 2,
    runs: 60,
    async open() {
      dir = join(home, `${stores++}`)
      return openTestStore({ dir, limits })
    },
    async reopen(store) {
      await store.close()
      return openTestStore({ dir, limits })
    },
  })
})
