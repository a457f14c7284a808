/** The process of one node. @module */

import { peerIdOf } from '../../src/base/crypto/address.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import type { FromNode, ToNode } from './node-messages.ts'
import { SocketBytes } from './socket-bytes.ts'
import { BenchNode } from './sync-node.ts'

const sockets = new SocketBytes()
let node: BenchNode | undefined

async function answer(message: ToNode): Promise<FromNode> {
  if (message.kind === 'start') {
    const { init } = message
    node = await BenchNode.start(init, selfOf(init.machineSeed))
    return { kind: 'done' }
  }
  if (!node) throw new Error('the node has not started')
  switch (message.kind) {
    case 'grow':
      await node.grow(message.growth)
      break
    case 'host':
      await node.host(message.account)
      break
    case 'join':
      return { kind: 'joined', address: await node.join() }
    case 'leave':
      await node.leave()
      break
    case 'dial':
      node.dial(message.address)
      break
    case 'pause':
      await node.pause()
      break
    case 'resume':
      node.resume()
      break
    case 'await':
      await node.until(message.items)
      break
    case 'put':
      await node.put(message.count)
      break
    case 'lose':
      await node.lose(message.numbers)
      break
    case 'pull':
      await node.pull(message.isAnew)
      break
    case 'repair':
      return { kind: 'repaired', items: await node.repair() }
    case 'end-pull':
      node.endPull()
      break
    case 'usage': {
      const { user, system } = process.cpuUsage()
      const items = await node.items()
      return { kind: 'usage', usage: { items, wireBytes: sockets.total, cpuUs: user + system } }
    }
  }
  return { kind: 'done' }
}

function selfOf(machineSeed: Uint8Array): PeerId {
  return peerIdOf(nodePlatform().ed25519.publicKey(machineSeed))
}

async function stop(): Promise<void> {
  await node?.close()
  if (process.connected) process.disconnect()
}

process.on('message', (message: ToNode) => {
  void answer(message).then((text) => process.send?.(text))
})
// The parent asks it to end; or is gone, and then there is nobody to serve.
process.once('SIGTERM', () => void stop())
process.once('disconnect', () => void stop().then(() => process.exit()))
