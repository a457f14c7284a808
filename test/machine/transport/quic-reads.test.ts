import type { Upgrader, UpgraderWithoutEncryptionOptions } from '@libp2p/interface'
import t from 'tap'
import { withLongReads } from '../../../src/machine/transport/quic-reads.ts'

/** A native stream that gives so many bytes at each read, the end after them; `asked` tells what was asked. */
class ScriptedStream {
  readonly asked: number[] = []
  readonly #given: (number | 'all')[]

  constructor(given: readonly (number | 'all')[]) {
    this.#given = [...given]
  }

  async read(bytesMax: number): Promise<Uint8Array | null> {
    this.asked.push(bytesMax)
    const given = this.#given.shift()
    if (given === undefined) return null
    const length = given === 'all' ? bytesMax : given
    return new Uint8Array(new ArrayBuffer(bytesMax), 0, length).fill(7)
  }
}

async function opened(way: 'inboundStream' | 'outboundStream', stream: ScriptedStream) {
  const connection = { inboundStream: async () => stream, outboundStream: async () => stream }
  const upgraded: unknown[] = []
  const upgrade = async (...args: unknown[]) => void upgraded.push(...args)
  const upgrader = { upgradeInbound: upgrade, upgradeOutbound: upgrade } as unknown as Upgrader
  const options = {
    muxerFactory: { init: { connection } },
  } as unknown as UpgraderWithoutEncryptionOptions
  const raw = {} as Parameters<Upgrader['upgradeInbound']>[0]
  await withLongReads(upgrader)[way === 'inboundStream' ? 'upgradeInbound' : 'upgradeOutbound'](
    raw,
    options,
  )
  t.equal(upgraded[0], raw)
  t.equal(upgraded[1], options)
  return connection[way]()
}

for (const way of ['inboundStream', 'outboundStream'] as const) {
  t.test(`${way}: a read grows while it is filled, to a bound, and shrinks again`, async (t) => {
    const stream = new ScriptedStream(['all', 'all', 'all', 9000, 100, 100, 100])
    const read = await opened(way, stream)
    const lengths: (number | undefined)[] = []
    for (let n = 0; n < 8; n++) lengths.push((await read.read(4096))?.length)
    t.same(stream.asked, [4096, 8192, 16_384, 16_384, 16_384, 8192, 4096, 4096])
    t.same(lengths, [4096, 8192, 16_384, 9000, 100, 100, 100, undefined])
  })
}

t.test('little bytes do not keep much memory', async (t) => {
  const stream = await opened('inboundStream', new ScriptedStream([1, 1023, 1024]))
  for (const [length, kept] of [
    [1, 1],
    [1023, 1023],
    [1024, 4096],
  ]) {
    const chunk = await stream.read(4096)
    t.equal(chunk?.length, length)
    t.equal(chunk?.buffer.byteLength, kept)
    t.equal(chunk?.[0], 7)
  }
})
