import t from 'tap'
import { loadLibp2pMetrics } from '../../../src/machine/transport/libp2p-metrics.ts'
import { listening, openTestTransport } from '../../support/transports.ts'

t.test("libp2p's own numbers, for who asks for them", async (t) => {
  const metrics = await loadLibp2pMetrics()
  const server = await listening(t, { metrics })
  const client = await openTestTransport(t, { tcp: [] })
  const peer = await client.connect(server.addresses()[0] as string)
  t.equal(peer, server.peerId)
  const text = await metrics.text()
  t.match(text, /^libp2p_connection_manager_connections\{/m)
  t.notMatch(text, client.peerId, 'nobody is named')
  t.notMatch(
    text,
    /^process_|^nodejs_(?!memory|fs)/m,
    'and what the node says itself is not said twice',
  )
})
