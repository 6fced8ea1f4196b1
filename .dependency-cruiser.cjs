/**
 * The walls between the rooms, as docs/adr/0002 draws them. `npm run lint` checks them and
 * tests/spec/walls.test.ts checks that each of them holds.
 */

/** Root files that every room may know: the port to time and chance, and the settings' types. */
const SHARED = ['^src/runtime\\.ts$', '^src/config\\.ts$'];

/** Interfaces that adapters implement, and the values that those interfaces speak of. */
const PORTS =
  '^src/[^/]+/(eventStore|envelope|readModels|signals|cursor|leases|cache|jobs|passwords)\\.ts$';

const DRIVERS = [
  'better-sqlite3',
  'mongodb',
  'ioredis',
  'rate-limit-redis',
  'bullmq',
  '@eventstore/db-client',
  'nodemailer',
];

/** What files of one room may import of src/. */
function room(name, ...others) {
  const rooms = [name, ...others].map((other) => `^src/${other}/`);
  return {
    name: `${name}-imports-only-${['itself', ...others].join('-')}`,
    severity: 'error',
    from: { path: `^src/${name}/` },
    to: { path: '^src/', pathNot: [...rooms, ...SHARED] },
  };
}

const packages = (names) => `(^|node_modules/)(${names.join('|')})(/|$)`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    room('events'),
    room('commands', 'events'),
    room('projections', 'events'),
    room('queries', 'projections', 'events'),
    room('api', 'commands', 'queries', 'events'),
    room('workers', 'commands', 'queries', 'events'),
    {
      name: 'adapters-import-only-ports',
      severity: 'error',
      from: { path: '^src/adapters/' },
      to: { path: '^src/', pathNot: ['^src/adapters/', PORTS, ...SHARED] },
    },
    {
      name: 'cli-talks-http',
      comment: 'A command line client knows the API and the clock, not the rooms behind the API.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^src/[^/]+/', pathNot: '^src/(cli|adapters/system)/' },
    },
    {
      name: 'rooms-know-only-the-types-of-settings',
      comment: 'compose.ts hands each its own settings; nobody reads them from a global.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: '^src/cli/' },
      to: { path: '^src/config\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'drivers-live-in-adapters',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/' },
      to: { path: packages(DRIVERS) },
    },
    {
      name: 'threads-live-in-adapters',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/' },
      to: { path: '^(node:)?worker_threads$' },
    },
    {
      name: 'only-serve-imports-main',
      comment:
        'main.ts starts a server when it is loaded; `fleetbook serve` is there to do just that.',
      severity: 'error',
      from: { pathNot: '^src/cli/serve\\.ts$' },
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'src-imports-only-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(tests|bench|dist|scripts)/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/main\\.ts$' },
      to: {},
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: '@types/' },
    },
  ],
  options: {
    // Types count: a room that knows another's types is not walled off from it.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
