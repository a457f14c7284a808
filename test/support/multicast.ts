/** mDNS on the loopback interface, apart from what else runs here: a service and a port of the test's own. @module */

import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import os from 'node:os'
import type { Test } from 'tap'

const group = '224.0.0.251'

/** A machine's one end of multicast. */
export interface MulticastWorld {
  /** What only nodes of this test answer to. */
  readonly service: { readonly tag: string; readonly port: number; readonly intervalMs: number }
  /** Every packet on the port, own ones too. */
  readonly heard: Buffer[]
  /** Resolves when the packet came round. */
  say(packet: Uint8Array): Promise<void>
}

/** Lets this process see no interface but its loopback, and opens a multicast socket there; undefined where
 *  the machine takes no multicast, as a sandbox may. */
export async function multicastWorld(
  t: Test,
  { intervalMs }: { intervalMs: number },
): Promise<MulticastWorld | undefined> {
  const { networkInterfaces } = os
  t.teardown(() => Object.assign(os, { networkInterfaces }))
  const inner = Object.entries(networkInterfaces()).filter(([, all]) => all?.[0]?.internal)
  Object.assign(os, { networkInterfaces: () => Object.fromEntries(inner) })

  const socket = createSocket({ type: 'udp4', reuseAddr: true }).bind(0)
  t.teardown(() => socket.close())
  await once(socket, 'listening')
  const { port } = socket.address()
  const heard: Buffer[] = []
  socket.on('message', (packet) => heard.push(packet))
  const say = async (packet: Uint8Array) => {
    const came = new Promise<void>((resolve) => {
      const listener = (other: Buffer) => {
        if (!other.equals(packet)) return
        socket.off('message', listener)
        resolve()
      }
      socket.on('message', listener)
    })
    socket.send(packet, port, group)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no multicast')), 2000)
    })
    await Promise.race([came, late]).finally(() => clearTimeout(timer))
  }
  try {
    socket.addMembership(group, '127.0.0.1')
    socket.setMulticastInterface('127.0.0.1')
    await say(Buffer.from('echo'))
  } catch {
    return undefined
  }
  heard.length = 0
  const tag = `_${randomBytes(6).toString('hex')}._udp.local`
  return { service: { tag, port, intervalMs }, heard, say }
}
