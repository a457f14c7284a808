import { Readable } from 'node:stream'

/** Bytes of unknown length, made no faster than the reader reads; a reader that leaves ends them. Resolves with the first
 *  ones, so that what fails before them fails as a whole; what fails later cuts the answer off.
 *  @param fail is told of that
 *  @throws what `chunks` throws before its first bytes */
export async function byteStream(
  chunks: AsyncIterable<Uint8Array>,
  fail: (error: unknown) => void,
): Promise<Readable> {
  const iterator = chunks[Symbol.asyncIterator]()
  const first = await iterator.next()
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      for (let step = first; !step.done; step = await iterator.next()) yield step.value
    } catch (error) {
      fail(error)
      throw error
    }
  }
  const stream = Readable.from(all(), { objectMode: false })
  // not in a `finally` above: a stream that is dropped before its first read never enters it
  stream.once('close', () => {
    iterator.return?.().then(undefined, fail)
  })
  return stream
}
