/** The thread of node-stamp-search.ts: a slice comes in, its stamp or undefined goes out. @module */

import { hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { searchStamp, type StampSlice } from './stamp.ts'

const platform = { sha256: (part: Uint8Array) => hash('sha256', part, 'buffer') }

parentPort?.on('message', (slice: StampSlice) => {
  parentPort?.postMessage(searchStamp(platform, slice))
})
