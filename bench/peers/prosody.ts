/**
 * Prosody as a mailbox: chat messages to people who are offline, acknowledged by stream management.
 * No TLS and no sync to disk, which flatters it.
 * @see XEP-0160 (offline storage), XEP-0198 (stream management), RFC 6120
 * @module
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Send } from '../load.ts'
import { findProgram, freePort, startChild, untilListening } from '../child.ts'
import type { Peer, PeerInit, RunningPeer } from './peer.ts'
import { TextSocket } from './text-socket.ts'

const program = 'prosody'
const host = 'localhost'
const password = 'benchmark'

export const prosody: Peer = {
  name: 'prosody',
  promise: 'offline store, no TLS: not synced before the acknowledgement',
  missing: () => (findProgram(program) ? undefined : `${program} is not installed`),
  start: startProsody,
}

async function startProsody(init: PeerInit): Promise<RunningPeer> {
  const { dir, clients, scheduler, signal, open } = init
  const port = await freePort()
  const configFile = join(dir, 'prosody.cfg.lua')
  await writeFile(configFile, configuration({ dir, port }))
  for (let client = 0; client < clients; client++) {
    await register(dir, `sender${client}`)
    await register(dir, `recipient${client}`)
  }
  const args = ['--config', configFile, '-F']
  const command = findProgram(program) ?? program
  const logFile = join(dir, 'prosody.log')
  const server = open.add(await startChild({ command, args, scheduler, logFile }))
  await untilListening(server, port, { scheduler, signal })
  const senders: Send<string>[] = []
  for (let client = 0; client < clients; client++) {
    const socket = open.add(await TextSocket.open(port))
    senders.push(await signIn(socket, { from: `sender${client}`, to: `recipient${client}` }))
  }
  return { pid: server.pid, senders }
}

/** Lua; the folders are our own, without quotes or backslashes. */
function configuration({ dir, port }: { dir: string; port: number }): string {
  return `
run_as_root = true
daemonize = false
pidfile = "${dir}/prosody.pid"
data_path = "${dir}"
certificates = "${dir}"
modules_enabled = { "saslauth", "roster", "disco", "offline", "smacks" }
modules_disabled = { "s2s", "tls", "limits" }
c2s_interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
s2s_ports = {}
http_ports = {}
https_ports = {}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
network_backend = "epoll"
smacks_max_unacked_stanzas = 1000000
log = { { levels = { min = "error" }, to = "console" } }
VirtualHost "${host}"
`
}

/** An account in the files of prosody's internal storage: prosodyctl takes 0.2 s for each. */
async function register(dir: string, user: string): Promise<void> {
  const accounts = join(dir, host, 'accounts')
  await mkdir(accounts, { recursive: true })
  await writeFile(join(accounts, `${user}.dat`), `return { ["password"] = "${password}" };\n`)
}

const openStream =
  `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'` +
  ` to='${host}' version='1.0'>`

/** Signs in with SASL PLAIN, binds a resource, turns on stream management, and returns how to send
 *  one message whose body is text without markup. */
async function signIn(
  socket: TextSocket,
  { from, to }: { from: string; to: string },
): Promise<Send<string>> {
  socket.write(openStream)
  await socket.read(/<\/stream:features>/)
  const token = Buffer.from(`\0${from}\0${password}`).toString('base64')
  socket.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${token}</auth>`)
  const [outcome] = await socket.read(/<(success|failure)\b[^>]*>/)
  if (!outcome.startsWith('<success')) throw new Error(`prosody refused ${from}`)
  socket.write(openStream)
  await socket.read(/<\/stream:features>/)
  socket.write(`<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`)
  await socket.read(/<\/iq>/)
  socket.write(`<enable xmlns='urn:xmpp:sm:3'/>`)
  await socket.read(/<enabled\b[^>]*>/)
  let sent = 0
  return async (body) => {
    sent += 1
    socket.write(
      `<message to='${to}@${host}' type='chat' id='m${sent}'><body>${body}</body></message>` +
        `<r xmlns='urn:xmpp:sm:3'/>`,
    )
    await untilHandled(socket, sent)
  }
}

/** Resolves once the server says that it has handled `count` stanzas. */
async function untilHandled(socket: TextSocket, count: number): Promise<void> {
  for (let handled = 0; handled < count;) {
    const [stanza, h] = await socket.read(
      /<a [^>]*\bh=["'](\d+)["'][^>]*>|<message [^>]*type=["']error["'].*?<\/message>/,
    )
    if (h === undefined) throw new Error(`prosody refused a message: ${stanza}`)
    handled = Number(h)
  }
}
