import t from 'tap'
import { itemStoreConformance } from '../../conformance/item-store.ts'
import { openTestStore } from '../../support/store-content.ts'
import { tempHome } from '../../support/temp-home.ts'

itemStoreConformance(t, async (t) => openTestStore({ dir: tempHome(t).ABZU_HOME }))
