import { Readable } from 'node:stream'

export interface LineStreamInit<T> {
  readonly values: AsyncIterable<T>
  /** Checks a value and cuts it to what is told. */
  readonly encode: (value: T) => unknown
  /** What is told of an error that comes after the first value; it is the last line. */
  readonly fail: (error: unknown) => unknown
}

/** Newline-delimited JSON of `values`, taken no faster than the reader reads; a reader that leaves
 *  ends them. Resolves with the first value, so that what fails before it fails as a whole.
 *  @throws what `values` throws before its first value */
export async function lineStream<T>({
  values,
  encode,
  fail,
}: LineStreamInit<T>): Promise<Readable> {
  const iterator = values[Symbol.asyncIterator]()
  const first = await iterator.next()
  async function* lines() {
    try {
      for (let step = first; !step.done; step = await iterator.next()) {
        yield line(encode(step.value))
      }
    } catch (error) {
      yield line(fail(error))
    }
  }
  const stream = Readable.from(lines(), { objectMode: false })
  // not in a `finally` above: a stream that is dropped before its first read never enters it
  stream.once('close', () => {
    iterator.return?.().then(undefined, fail)
  })
  return stream
}

function line(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}
