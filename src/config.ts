/**
 * What a person may set: `config.json` in ABZU_HOME, the environment, flags. The result is validated
 * and frozen; whatever is unknown or absurd is refused before anything is opened.
 * @see docs/limits.md
 * @module
 */

import { open } from 'node:fs/promises'
import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { AbzuError } from './base/util/errors.ts'
import type { Rate } from './base/util/gcra.ts'
import { wireLimits } from './base/wire/limits.ts'
import { defaultMailboxLimits } from './machine/mailbox/mailbox-limits.ts'

/** The part of the environment that Abzu reads. */
export interface Env {
  readonly ABZU_HOME?: string | undefined
}

/** Where everything of one node lies. All paths are absolute. */
export interface HomePaths {
  readonly home: string
  readonly configFile: string
  /** The API's Unix socket. */
  readonly socket: string
  /** The command line's session tokens, one file per account. */
  readonly sessions: string
}

/** What the command line of `abzu start` said; a missing value was not said. */
export interface StartFlags {
  /** `host:port` each; who names a listener of either kind names all. */
  readonly tcp?: readonly string[] | undefined
  readonly quic?: readonly string[] | undefined
  readonly peers?: readonly string[] | undefined
  /** False: no discovery on the local network. */
  readonly lan?: boolean | undefined
  readonly logJson?: boolean | undefined
}

const listenersMax = 8
const peersMax = 64
const bootstrapMax = 16
const configBytesMax = 64 * 1024
/** What `sun_path` of Linux holds beside its final zero byte. */
const socketPathBytesMax = 107

const listener = z
  .string()
  .refine(isListener, 'is not an IP address and port, such as 0.0.0.0:4180 or [::]:4180')
const peer = z
  .string()
  .max(wireLimits.addressBytesMax)
  .regex(/^\/[\w.:/-]+\/p2p\/12D3Koo[1-9A-HJ-NP-Za-km-z]+$/, 'is not a mesh address')
const announced = z
  .string()
  .max(wireLimits.addressBytesMax - 80)
  .regex(
    /^\/(ip4|ip6|dns|dns4|dns6)\/[\w.:-]+\/tcp\/[1-9]\d{0,4}$/,
    'is not an address to announce, such as /dns4/home.example/tcp/4180',
  )

/** A whole number up to a thousand times its default, or a rate of such; what is left out has its default. */
function bounded<T extends object>(defaults: T) {
  const fields = Object.entries(defaults).map(([name, value]: [string, number | Rate]) => [
    name,
    typeof value === 'number'
      ? z
          .int()
          .min(1)
          .max(value * 1000)
          .default(value)
      : z
          .strictObject({
            perSecond: z
              .number()
              .min(0.001)
              .max(value.perSecond * 1000),
            burst: z
              .int()
              .min(1)
              .max(value.burst * 1000),
          })
          .default(value),
  ])
  const shape = z.strictObject(Object.fromEntries(fields)) as unknown as z.ZodType<T, object>
  return shape.prefault({})
}

const limits = z.strictObject({
  /** A session that nobody uses ends after so long. */
  sessionIdleMinutes: z.int().min(1).max(43_200).default(1440),
  /** An account that nobody uses locks itself after so long; 0 = never. */
  autoLockMinutes: z.int().min(0).max(43_200).default(720),
  mailbox: bounded(defaultMailboxLimits),
})

/** Where a node listens that is told nothing. */
const defaultListeners = { tcp: ['0.0.0.0:4180'], quic: ['0.0.0.0:4180'] }
const listeners = z.array(listener).min(1).max(listenersMax).optional()

const configFile = z.strictObject({
  tcp: listeners,
  quic: listeners,
  peers: z.array(peer).max(peersMax).default([]),
  bootstrap: z.array(peer).max(bootstrapMax).default([]),
  announce: z.array(announced).max(wireLimits.addressesMax).default([]),
  lan: z.boolean().default(true),
  libp2pMetrics: z.boolean().default(false),
  /** What the node calls itself to nodes that it is paired with; the machine's name where left out. */
  nodeName: z.string().min(1).max(wireLimits.nameBytesMax).optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  limits: limits.prefault({}),
})

type Settings = Readonly<z.output<typeof configFile>>

export interface Config extends HomePaths, Omit<Settings, 'tcp' | 'quic'> {
  readonly tcp: readonly string[]
  readonly quic: readonly string[]
  readonly logJson: boolean
}

/** Where the node of this environment lies: `ABZU_HOME`, or `~/.abzu`.
 *  @throws {AbzuError} ABZU_CONFIG_INVALID where the path is too long for a Unix socket */
export function homePaths(env: Env = process.env): HomePaths {
  const home = resolve(env.ABZU_HOME || join(homedir(), '.abzu'))
  const socket = join(home, 'api.sock')
  const length = Buffer.byteLength(socket)
  if (length > socketPathBytesMax) {
    throw invalid(
      `ABZU_HOME is too long: ${socket} has ${length} bytes, and a Unix socket's path may have ${socketPathBytesMax}`,
    )
  }
  return {
    home,
    socket,
    configFile: join(home, 'config.json'),
    sessions: join(home, 'sessions'),
  }
}

/** Reads and checks everything that was set; a flag beats the file, and `peers` of both count.
 *  @throws {AbzuError} ABZU_CONFIG_INVALID names the key; ABZU_ADDRESS_INVALID for a `--peer`;
 *  ABZU_IO where the file is there and cannot be read */
export async function loadConfig({
  flags,
  env,
}: {
  flags: StartFlags
  env?: Env | undefined
}): Promise<Config> {
  const paths = homePaths(env)
  const fromFile = configFile.safeParse(await readConfigFile(paths.configFile))
  if (!fromFile.success) throw invalid(`${paths.configFile}: ${explain(fromFile.error)}`)
  for (const address of flags.peers ?? []) {
    if (!peer.safeParse(address).success) {
      throw new AbzuError(
        'ABZU_ADDRESS_INVALID',
        '--peer is not a mesh address /ip4/.../p2p/12D3Koo...',
      )
    }
  }
  const merged = configFile.safeParse({
    ...fromFile.data,
    ...((flags.tcp ?? flags.quic) && { tcp: flags.tcp, quic: flags.quic }),
    ...(flags.lan !== undefined && { lan: flags.lan }),
    peers: [...new Set([...fromFile.data.peers, ...(flags.peers ?? [])])],
  })
  if (!merged.success) throw invalid(explain(merged.error))
  const { data } = merged
  const { tcp = [], quic = [] } = (data.tcp ?? data.quic) ? data : defaultListeners
  const config: Config = { ...paths, ...data, tcp, quic, logJson: flags.logJson ?? false }
  return deepFreeze(config)
}

async function readConfigFile(path: string): Promise<unknown> {
  const bytes = new Uint8Array(configBytesMax + 1)
  let length: number
  try {
    await using file = await open(path)
    length = (await file.read(bytes)).bytesRead
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new AbzuError('ABZU_IO', `cannot read ${path}`, { cause })
  }
  if (length > configBytesMax) throw invalid(`${path} is larger than ${configBytesMax} bytes`)
  try {
    return JSON.parse(new TextDecoder().decode(bytes.subarray(0, length)))
  } catch (cause) {
    throw invalid(`${path} is not JSON`, cause)
  }
}

function isListener(text: string): boolean {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const family = bracketed === undefined ? 4 : 6
  return isIP(bracketed ?? plain ?? '') === family && Number(port) <= 65_535
}

/** Every complaint with the key it is about, unknown keys by their names. */
function explain(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ')
}

function invalid(message: string, cause?: unknown): AbzuError {
  return new AbzuError('ABZU_CONFIG_INVALID', message, { cause })
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}
