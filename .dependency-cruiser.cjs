// The architecture as rules: who may import whom. docs/architecture.md says why.
const room = (path) => `^src/${path}/`
const outside = (name) => `(^|/)node_modules/${name}(/|$)`

/** A library's only home: every other file of src is refused. */
const home = (name, library, path) => ({
  name: `${name}-has-one-home`,
  severity: 'error',
  from: { path: '^src/', pathNot: path },
  to: { path: library },
})

/** `lower` may not import `upper`: imports go downward only. */
const downward = (lower, ...upper) => ({
  name: `${lower.replaceAll('/', '-')}-looks-downward`,
  severity: 'error',
  from: { path: room(lower) },
  to: { path: upper.map((path) => room(path)) },
})

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-unresolved',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'production-needs-no-dev-dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: outside('@types') },
    },
    downward('base', 'machine', 'user', 'surface', 'compose'),
    downward('machine', 'user', 'surface', 'compose'),
    downward('user', 'machine', 'surface', 'compose', 'base/store'),
    downward('base/util', 'base/wire', 'base/crypto', 'base/store'),
    downward('base/wire', 'base/crypto', 'base/store'),
    downward('base/crypto', 'base/store'),
    downward(
      'machine/transport',
      'machine/node',
      'machine/mailbox',
      'machine/sync',
      'machine/relay',
      'machine/federation',
    ),
    downward(
      'machine/node',
      'machine/mailbox',
      'machine/sync',
      'machine/relay',
      'machine/federation',
    ),
    downward('machine/mailbox', 'machine/sync', 'machine/relay', 'machine/federation'),
    downward('machine/sync', 'machine/relay', 'machine/federation'),
    downward('machine/relay', 'machine/federation'),
    downward('machine/federation', 'machine/relay'),
    downward('user/account', 'user/message', 'user/household', 'user/app'),
    downward('user/message', 'user/household', 'user/app'),
    downward('user/household', 'user/app'),
    downward('user/app', 'user/household'),
    downward('surface/client', 'surface/api', 'surface/cli'),
    downward('surface/api', 'surface/cli'),
    {
      name: 'only-start-composes',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: ['^src/compose/', '^src/surface/cli/start\\.ts$', '^src/index\\.ts$'],
      },
      to: { path: room('compose') },
    },
    {
      name: 'machine-cannot-open',
      comment:
        'The machine half has no function that could open anything: no envelope, seal, keyring or password.',
      severity: 'error',
      from: { path: room('machine') },
      to: {
        path: room('base/crypto'),
        pathNot:
          '^src/base/crypto/(platform|hash|signature|address|stamp|door|labels|certificate|slot-header|mailbox-record|identity-document|receipt|restore-claim|peer-code)\\.ts$',
      },
    },
    {
      name: 'machine-reaches-no-opener',
      comment: 'Nor through what it imports.',
      severity: 'error',
      from: { path: room('machine') },
      to: {
        path: '^src/base/crypto/(envelope|hpke|keyring|password|recovery-share|vault-cipher|words)\\.ts$',
        reachable: true,
      },
    },
    {
      name: 'machine-reads-no-letter',
      comment: 'The inside of an envelope is not even a shape to the machine half.',
      severity: 'error',
      from: { path: room('machine') },
      to: { path: '^src/base/wire/letter\\.ts$', reachable: true },
    },
    {
      name: 'surface-is-handed-its-services',
      comment: 'It may name the types of what compose hands it, and builds no machine itself.',
      severity: 'error',
      from: { path: room('surface') },
      to: { path: room('machine'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'surface-knows-no-store',
      severity: 'error',
      from: { path: room('surface') },
      to: { path: room('base/store') },
    },
    {
      name: 'isomorphic',
      comment: 'What a browser or the simulator also runs imports no node: module.',
      severity: 'error',
      from: {
        path: ['^src/base/(util|wire|crypto)/', '^src/user/', '^src/machine/(mailbox|transport)/'],
        pathNot: '/node-[^/]*\\.ts$',
      },
      to: { dependencyTypes: ['core'] },
    },
    home(
      'libp2p',
      [
        outside('libp2p'),
        outside('@libp2p'),
        outside('@chainsafe'),
        outside('@multiformats'),
        outside('prom-client'),
      ],
      room('machine/transport'),
    ),
    home(
      'level',
      [outside('classic-level'), outside('memory-level'), outside('abstract-level')],
      room('base/store'),
    ),
    home('msgpackr', outside('msgpackr'), '^src/base/wire/codec\\.ts$'),
    home(
      'crypto-libraries',
      [
        outside('@noble'),
        outside('@scure'),
        outside('hpke'),
        outside('shamir-secret-sharing'),
        outside('age-encryption'),
      ],
      room('base/crypto'),
    ),
    home('prometheus', outside('@prometheus-io'), '^src/surface/api/metrics-text\\.ts$'),
    home('fastify', [outside('fastify'), outside('@fastify')], room('surface/api')),
    home(
      'commander',
      [outside('commander'), outside('@clack'), outside('qr')],
      room('surface/cli'),
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
