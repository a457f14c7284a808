/** Parsed keys of node:crypto: parsing one costs as much as using it. @module */

import { hash } from 'node:crypto'
import { mapKey } from '../util/bytes.ts'
import { setNewest } from '../util/newest.ts'

/** Values of public keys by their bytes; the least recently used goes first. */
export class PublicKeyCache<T> {
  readonly #values = new Map<string, T>()
  readonly #parse: (publicKey: Uint8Array) => T
  readonly #keysMax: number

  constructor(keysMax: number, parse: (publicKey: Uint8Array) => T) {
    this.#keysMax = keysMax
    this.#parse = parse
  }

  get(publicKey: Uint8Array): T {
    const key = mapKey(publicKey)
    const value = this.#values.get(key) ?? this.#parse(publicKey)
    setNewest(this.#values, [key, value], this.#keysMax)
    return value
  }
}

/** Values of secret seeds, for as long as the caller keeps the seed's array: a locked account leaves
 *  nothing here. */
export class SecretKeyCache<T> {
  readonly #values = new WeakMap<Uint8Array, { digest: string; value: T }>()
  readonly #parse: (seed: Uint8Array) => T

  constructor(parse: (seed: Uint8Array) => T) {
    this.#parse = parse
  }

  get(seed: Uint8Array): T {
    // an array that was overwritten in place is another seed
    const digest = hash('sha256', seed, 'base64')
    const cached = this.#values.get(seed)
    if (cached?.digest === digest) return cached.value
    const value = this.#parse(seed)
    this.#values.set(seed, { digest, value })
    return value
  }
}
