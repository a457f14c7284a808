import t from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { slip10Node } from '../../../src/base/crypto/slip10.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { hex, readVectors } from '../../support/vectors.ts'

const platform = nodePlatform()
const { vectors } = readVectors<{
  vectors: {
    seed: string
    nodes: { path: number[]; chainCode: string; key: string; publicKey: string }[]
  }[]
}>('published/slip10-ed25519')

for (const { seed, nodes } of vectors) {
  for (const { path, chainCode, key, publicKey } of nodes) {
    const node = slip10Node(platform, hex(seed), path)
    t.equal(toHex(node.key), key, `m/${path.join('/')}`)
    t.equal(toHex(node.chainCode), chainCode)
    t.equal(toHex(platform.ed25519.publicKey(node.key)), publicKey)
  }
}
t.same(
  vectors.map(({ nodes }) => nodes.length),
  [6, 3],
)
