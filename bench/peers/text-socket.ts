/** A TCP connection of a protocol made of text, read up to a pattern. @module */

import { connect, type Socket } from 'node:net'
import type { Closeable } from '../../src/base/util/close-stack.ts'

/** Unread text beyond this is an answer that nobody waits for: a mistake of the driver. */
const unreadCharsMax = 1024 * 1024

interface Reader {
  readonly pattern: RegExp
  readonly resolve: (match: RegExpExecArray) => void
  readonly reject: (error: Error) => void
}

/** One reader at a time; text before a match is dropped. */
export class TextSocket implements Closeable {
  readonly #socket: Socket
  #unread = ''
  #reader: Reader | undefined
  #error: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.setNoDelay(true)
    socket.on('data', (text: string) => this.#receive(text))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  static async open(port: number): Promise<TextSocket> {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new TextSocket(socket)
  }

  write(text: string): void {
    this.#socket.write(text)
  }

  /** The next match of a pattern that is not global.
   *  @throws {Error} where the connection ends first */
  read(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      if (this.#reader) throw new Error('a text socket has one reader at a time')
      this.#reader = { pattern, resolve, reject }
      this.#match()
      if (this.#error) this.#fail(this.#error)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(text: string): void {
    this.#unread += text
    this.#match()
    if (this.#unread.length > unreadCharsMax) this.#socket.destroy(new Error('unread answers'))
  }

  #match(): void {
    const reader = this.#reader
    const match = reader?.pattern.exec(this.#unread)
    if (!reader || !match) return
    this.#unread = this.#unread.slice(match.index + match[0].length)
    this.#reader = undefined
    reader.resolve(match)
  }

  #fail(error: Error): void {
    this.#error ??= error
    this.#reader?.reject(this.#error)
    this.#reader = undefined
  }
}
