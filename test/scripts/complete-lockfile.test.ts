import t from 'tap'
import { completeLockfile, platformOf } from '../../scripts/complete-lockfile.ts'

t.test('a name says where its package runs', async (t) => {
  t.strictSame(platformOf('@x/binding-linux-x64-musl'), {
    os: ['linux'],
    cpu: ['x64'],
    libc: ['musl'],
  })
  t.strictSame(platformOf('@x/binding-linux-arm-gnueabihf'), {
    os: ['linux'],
    cpu: ['arm'],
    libc: ['glibc'],
  })
  t.strictSame(platformOf('@x/binding-win32-arm64-msvc'), { os: ['win32'], cpu: ['arm64'] })
  t.strictSame(platformOf('@x/darwin-arm64'), { os: ['darwin'], cpu: ['arm64'] })
  t.throws(() => platformOf('@x/toaster'))
})

t.test('every optional dependency is listed, and no registry', async (t) => {
  const before = {
    packages: {
      '': {},
      'node_modules/tool': {
        version: '1.0.0',
        resolved: 'https://example.org/tool.tgz',
        dev: true,
        optionalDependencies: { '@tool/linux-x64': '1.0.0', '@tool/darwin-arm64': '1.0.0' },
      },
      'node_modules/tool/node_modules/@tool/linux-x64': { version: '1.0.0' },
    },
  }
  const { lockfile, added } = completeLockfile(before)
  t.strictSame(added, ['@tool/darwin-arm64'])
  t.strictSame(lockfile.packages['node_modules/@tool/darwin-arm64'], {
    version: '1.0.0',
    dev: true,
    optional: true,
    os: ['darwin'],
    cpu: ['arm64'],
  })
  t.equal(lockfile.packages['node_modules/tool']?.resolved, undefined)
  t.strictSame(completeLockfile(lockfile), { lockfile, added: [] }, 'a second time changes nothing')
})
