/** What kad-dht is given to store in: nothing. Its PUT_VALUE and ADD_PROVIDER fail, its reads find nothing. @module */

import type { KadDHTComponents } from '@libp2p/kad-dht'

type Datastore = KadDHTComponents['datastore']

function refuse(): never {
  throw new Error('nothing is stored here')
}

async function* nothing(): AsyncGenerator<never> {}

/** The error by whose name libp2p knows that there is no such row. */
class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
}

/** Refuses every write. */
export const voidDatastore: Datastore = {
  has: () => false,
  get: () => {
    throw new NotFoundError('no such row')
  },
  put: refuse,
  putMany: refuse,
  getMany: nothing,
  delete: () => undefined,
  deleteMany: nothing,
  batch: refuse,
  query: nothing,
  queryKeys: nothing,
}
