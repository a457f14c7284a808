/** Nodes as their owners use them: real daemons on loopback, by their command lines. @module */

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import type { PeerId } from '../../src/base/util/brand.ts'
import type { Answer } from '../../src/surface/client/routes.ts'
import type { Role } from '../../src/user/household/role.ts'
import { abzu, spawnAbzu } from './cli.ts'
import { tempHome } from './temp-home.ts'

/** What a daemon says when it listens. */
export interface Ready {
  readonly peerId: PeerId
  readonly addresses: readonly string[]
}

/** As `peer list` tells it. */
export interface Peer {
  readonly peerId: string
  readonly name: string
  readonly quotaBytes: number
  readonly grantedBytes: number
  readonly connected: boolean
}

/** As `peer status` tells it. */
export type PeerStatus = Answer<'peerStatus'>['peers'][number]

/** A node on loopback that calls itself `nodeName`. */
export class Box {
  readonly #env: { readonly ABZU_HOME: string }
  #port = 0
  #child: ChildProcess | undefined

  constructor(t: Test, nodeName: string) {
    this.#env = tempHome(t)
    const config = JSON.stringify({ nodeName, lan: false })
    writeFileSync(join(this.#env.ABZU_HOME, 'config.json'), config, { mode: 0o600 })
    t.teardown(async () => abzu(this.#env, ['stop']))
  }

  /** At the port that it had. */
  async start(): Promise<Ready> {
    const tcp = `127.0.0.1:${this.#port}`
    const { child } = spawnAbzu(this.#env, ['start', '--json', '--tcp', tcp])
    this.#child = child
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    const ready = JSON.parse(line.toString()) as Ready
    this.#port = Number(ready.addresses[0]?.split('/')[4])
    return ready
  }

  /** Ends it as a power cut does. */
  async kill(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null) return
    const gone = once(child, 'exit')
    const { pid } = await this.run<{ pid: number }>('status')
    process.kill(pid, 'SIGKILL')
    await gone
  }

  /** How a `peer` command fails. */
  async fails(...args: string[]): Promise<{ code: number; error: { code: string } }> {
    const { code, error = { code: 'none' } } = await this.ends('peer', ...args)
    return { code, error }
  }

  /** How a command ends. */
  async ends(...args: string[]): Promise<{ code: number; error?: { code: string } }> {
    const { code, stderr } = await abzu(this.#env, [...args, '--json'])
    return { code, ...(code !== 0 && (JSON.parse(stderr) as { error: { code: string } })) }
  }

  async run<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await abzu(this.#env, [...args, '--json'])
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as T
  }

  /** Of a command that prints a line each. */
  async lines<T>(...args: string[]): Promise<T[]> {
    const { code, stdout, stderr } = await abzu(this.#env, [...args, '--json'])
    if (code !== 0) throw new Error(stderr)
    const printed = stdout.trim()
    return printed === '' ? [] : printed.split('\n').map((line) => JSON.parse(line) as T)
  }

  async invite(...args: string[]): Promise<string> {
    return (await this.run<{ code: string }>('peer', 'invite', ...args)).code
  }

  async peers(): Promise<Peer[]> {
    return (await this.run<{ peers: Peer[] }>('peer', 'list')).peers
  }

  /** A file in its directory, which may not be there yet. */
  path(name: string): string {
    return join(this.#env.ABZU_HOME, name)
  }

  /** An account with the password of all tests. */
  async account(name: string, role: Role = 'admin'): Promise<{ id: string; words: string[] }> {
    return this.run('account', 'create', name, '--role', role, ...this.#password())
  }

  /** Brings an account back here from its words, and from the node at `address`. */
  async recover(name: string, words: readonly string[], address: string): Promise<void> {
    const wordsFile = join(this.#env.ABZU_HOME, 'words')
    writeFileSync(wordsFile, words.join(' '), { mode: 0o600 })
    const from = ['--words-file', wordsFile, '--peer', address]
    await this.lines('account', 'recover', '--name', name, ...this.#password(), ...from)
  }

  async unlock(name: string): Promise<void> {
    await this.run('account', 'unlock', name, ...this.#password())
  }

  /** The option that gives the password of all tests. */
  #password(): string[] {
    const file = join(this.#env.ABZU_HOME, 'password')
    writeFileSync(file, 'correct horse', { mode: 0o600 })
    return ['--password-file', file]
  }

  /** Resolves with what `peer status` says of the one peer once `isSo`. */
  async peerStatus(isSo: (peer: PeerStatus) => boolean): Promise<PeerStatus> {
    for (let tries = 0; ; tries++) {
      const { peers } = await this.run<{ peers: PeerStatus[] }>('peer', 'status')
      const [peer] = peers
      if (peer && isSo(peer)) return peer
      if (tries > 200) throw new Error(`never so: ${JSON.stringify(peers)}`)
      await pause(50)
    }
  }

  /** Resolves when the one peer of this node is connected. */
  async company(): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      const [peer] = await this.peers()
      if (peer?.connected) return
      await pause(50)
    }
    throw new Error('never connected')
  }
}
