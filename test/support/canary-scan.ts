/** Looks for secrets in bytes, in every form in which a program may leave them. @module */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface Canary {
  readonly name: string
  /** 8 bytes or more, so that chance does not make it. */
  readonly bytes: Uint8Array
}

export interface Finding {
  readonly canary: string
  readonly form: string
  /** File, or whatever was scanned. */
  readonly where: string
}

interface Pattern {
  readonly canary: string
  readonly form: string
  readonly bytes: Buffer
}

/** A text as a canary. */
export function textCanary(name: string, text: string): Canary {
  return { name, bytes: Buffer.from(text) }
}

export class CanaryScanner {
  /** By the first four bytes. */
  readonly #byHead = new Map<number, Pattern[]>()
  /** Which pairs of bytes begin a pattern: nearly all of what is scanned is passed over by it. */
  readonly #pairs = new Uint8Array(0x10000)
  readonly #names = new Set<string>()

  constructor(canaries: readonly Canary[]) {
    for (const canary of canaries) {
      if (canary.bytes.length < 8) throw new Error(`${canary.name} is too short`)
      this.#names.add(canary.name)
      for (const pattern of patternsOf(canary)) this.#add(pattern)
    }
  }

  #add(pattern: Pattern): void {
    const head = pattern.bytes.readUInt32LE(0)
    this.#pairs[head & 0xffff] = 1
    const alike = this.#byHead.get(head) ?? []
    if (alike.some(({ bytes }) => bytes.equals(pattern.bytes))) return
    this.#byHead.set(head, [...alike, pattern])
  }

  /** What is found, each form of each canary once. */
  scan(bytes: Uint8Array, where: string): Finding[] {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const found = new Map<string, Finding>()
    for (let at = 0; at + 4 <= buffer.length; at++) {
      const pair = (buffer[at] as number) | ((buffer[at + 1] as number) << 8)
      if (this.#pairs[pair] === 0) continue
      for (const pattern of this.#byHead.get(buffer.readUInt32LE(at)) ?? []) {
        const { canary, form } = pattern
        const isHere =
          buffer.compare(
            pattern.bytes,
            0,
            pattern.bytes.length,
            at,
            Math.min(buffer.length, at + pattern.bytes.length),
          ) === 0
        if (isHere) found.set(`${canary} ${form}`, { canary, form, where })
      }
    }
    return [...found.values()]
  }

  /** Everything in a directory and below it, names of files included.
   *  @throws {Error} where there is no file at all */
  async scanDirectory(dir: string): Promise<Finding[]> {
    const entries = await readdir(dir, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    if (files.length === 0) throw new Error(`no file in ${dir}`)
    const found = this.scan(Buffer.from(entries.map(({ name }) => name).join('\n')), 'file names')
    for (const { parentPath, name } of files) {
      const path = join(parentPath, name)
      found.push(...this.scan(await readFile(path), path))
    }
    return found
  }
}

/** Every form of a canary: raw, UTF-16, hexadecimal, base64 and base64url at each alignment. */
export function patternsOf({ name: canary, bytes }: Canary): Pattern[] {
  const raw = Buffer.from(bytes)
  const hex = raw.toString('hex')
  const forms: [string, Buffer][] = [
    ['raw', raw],
    ['utf16le', Buffer.from(raw.toString('latin1'), 'utf16le')],
    ['hex', Buffer.from(hex)],
    ['HEX', Buffer.from(hex.toUpperCase())],
  ]
  for (const encoding of ['base64', 'base64url'] as const) {
    for (const before of [0, 1, 2]) {
      forms.push([`${encoding}+${before}`, Buffer.from(within(raw, encoding, before))])
    }
  }
  return forms.map(([form, bytes]) => ({ canary, form, bytes }))
}

/** The digits that `raw` alone decides where `before` bytes, modulo three, precede it. */
function within(raw: Buffer, encoding: 'base64' | 'base64url', before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), raw]).toString(encoding)
  const first = Math.ceil((8 * before) / 6)
  return text.slice(first, Math.floor((8 * (before + raw.length)) / 6))
}
