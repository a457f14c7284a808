import t from 'tap'
import { testFrameStreams } from '../../conformance/transport.ts'
import { MemoryPipe } from '../../support/pipe.ts'

t.test('over pipes in memory', async (t) => testFrameStreams(t, async () => MemoryPipe.pair()))

t.test('over pipes that cut and block', async (t) =>
  testFrameStreams(t, async () => MemoryPipe.pair({ pieceBytes: 999, highWaterBytes: 5000 })),
)
