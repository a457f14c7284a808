import t from 'tap'
import { itemStoreConformance } from '../../conformance/item-store.ts'
import { openTestStore } from '../../support/store-content.ts'

itemStoreConformance(t, async () => openTestStore({ dir: undefined }))
