import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  readFile,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { peerIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { equalBytes, utf8 } from '../../../src/base/util/bytes.ts'
import { loadMachineIdentity } from '../../../src/machine/node/machine-identity.ts'

const platform = nodePlatform()
const keyFile = (t: Test) => join(t.testdir({}), 'machine.key')
const load = async (file: string, suppliedSeed?: Uint8Array) =>
  loadMachineIdentity({ file, platform, ...(suppliedSeed && { suppliedSeed }) })

t.test('created once, for its owner alone', async (t) => {
  const file = keyFile(t)
  const first = await load(file)
  const written = await readFile(file)
  t.equal((await stat(file)).mode & 0o777, 0o600)
  const second = await load(file)
  t.same(second.seed, first.seed)
  t.equal(second.peerId, first.peerId)
  t.same(await readFile(file), written)
  t.same(await readdir(join(file, '..')), ['machine.key'])
  t.not((await load(keyFile(t))).peerId, first.peerId)
})

t.test('a wide umask makes no wide file, a narrow one no unreadable file', async (t) => {
  for (const umask of [0, 0o777]) {
    const file = keyFile(t)
    const before = process.umask(umask)
    try {
      await load(file)
    } finally {
      process.umask(before)
    }
    t.equal((await stat(file)).mode & 0o777, 0o600)
  }
})

t.test('the mesh address is that of libp2p, and signatures verify by it', async (t) => {
  for (let n = 0; n < 20; n++) {
    const seed = randomBytes(32)
    const identity = await load(keyFile(t), seed)
    const key = await generateKeyPairFromSeed('Ed25519', seed)
    t.equal(identity.peerId, peerIdFromPrivateKey(key).toString())
    t.equal(identity.peerId, peerIdOf(identity.publicKey))
    const message = utf8('abzu/v1/test')
    t.ok(await key.publicKey.verify(message, identity.sign(message)))
  }
})

t.test('a supplied key is stored, and the same ever after', async (t) => {
  const file = keyFile(t)
  const seed = randomBytes(32)
  const { peerId } = await load(file, seed)
  t.equal((await load(file)).peerId, peerId)
  t.equal((await load(file, seed)).peerId, peerId)
  const before = await readFile(file)
  await t.rejects(load(file, randomBytes(32)), { code: 'ABZU_FILE_INVALID' })
  t.same(await readFile(file), before)
  await t.rejects(load(keyFile(t), randomBytes(31)), { code: 'ABZU_INVALID_ARGUMENT' })
})

t.test('a file that others may read is refused', async (t) => {
  const file = keyFile(t)
  await load(file)
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777]) {
    await chmod(file, mode)
    await t.rejects(load(file), { code: 'ABZU_INSECURE_MODE' }, mode.toString(8))
  }
  await chmod(file, 0o400)
  await t.resolves(load(file))
})

t.test('each flipped bit and each truncation is noticed, and nothing is overwritten', async (t) => {
  const file = keyFile(t)
  await load(file)
  const whole = new Uint8Array(await readFile(file))
  const refused = async (bytes: Uint8Array) => {
    await writeFile(file, bytes)
    const error = await load(file).then(
      () => undefined,
      (error: unknown) => error as { code: string },
    )
    const isUntouched = equalBytes(new Uint8Array(await readFile(file)), bytes)
    return error?.code === 'ABZU_FILE_INVALID' && isUntouched
  }
  const accepted: string[] = []
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const flipped = whole.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    if (!(await refused(flipped))) accepted.push(`bit ${bit}`)
  }
  for (let length = 0; length < whole.length; length++) {
    if (!(await refused(whole.slice(0, length)))) accepted.push(`length ${length}`)
  }
  for (const foreign of [
    randomBytes(32),
    randomBytes(5000),
    utf8('-----BEGIN PRIVATE KEY-----\n'),
  ]) {
    if (!(await refused(foreign))) accepted.push('foreign')
  }
  if (!(await refused(new Uint8Array([...whole, 0])))) accepted.push('one byte more')
  t.same(accepted, [])
  t.ok(whole.length > 64)
})

t.test('what an interrupted start left behind is no obstacle', async (t) => {
  const file = keyFile(t)
  await writeFile(`${file}.tmp`, 'half', { mode: 0o644 })
  const { peerId } = await load(file)
  t.equal((await load(file)).peerId, peerId)
  t.same(await readdir(join(file, '..')), ['machine.key'])
})

t.test('what is no plain file', async (t) => {
  const file = keyFile(t)
  await mkdir(file)
  await t.rejects(load(file), { code: 'ABZU_FILE_INVALID' })
  const pipe = join(file, 'pipe')
  execFileSync('mkfifo', ['-m', '600', pipe])
  await t.rejects(load(pipe), { code: 'ABZU_FILE_INVALID' })
  await t.rejects(load(join(file, 'missing', 'machine.key')), { code: 'ABZU_IO' })
})

t.test('a key that a secret store links to', async (t) => {
  const target = keyFile(t)
  const { peerId } = await load(target)
  await symlink(target, `${target}.link`)
  t.equal((await load(`${target}.link`)).peerId, peerId)
})

t.test('a full disk leaves no half a key', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'abzu-identity-'))
  t.teardown(async () => rm(dir, { recursive: true }))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', dir], { stdio: 'ignore' })
  } catch {
    t.pass('not tried: needs the right to mount')
    return
  }
  t.teardown(() => execFileSync('umount', [dir]))
  await writeFile(join(dir, 'filler'), new Uint8Array(4096))
  const file = join(dir, 'machine.key')
  await t.rejects(load(file), { code: 'ABZU_DISK_FULL' })
  await t.rejects(stat(file), { code: 'ENOENT' })
  await writeFile(join(dir, 'filler'), '')
  await t.resolves(load(file))
})
