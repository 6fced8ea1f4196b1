import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

interface Cruised {
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

/** Something for each room to be imported for, and the entry that keeps the rooms from being orphans. */
const rooms = {
  'tsconfig.json': '{}',
  'package.json': '{ "type": "module" }',
  'src/main.ts': ['events', 'commands', 'projections', 'queries', 'api', 'workers', 'adapters']
    .map((room) => `import './${room}/a.js';`)
    .concat("import './config.js';")
    .join('\n'),
  'src/config.ts': 'export const port = 1;',
  'src/events/a.ts': "import './eventStore.js';",
  'src/events/eventStore.ts': 'export const head = 1;',
  'src/commands/a.ts': "import '../events/a.js';",
  'src/projections/a.ts': "import '../events/a.js';",
  'src/queries/a.ts': "import '../projections/a.js'; import '../events/a.js';",
  'src/api/a.ts': "import '../commands/a.js'; import '../queries/a.js';",
  'src/workers/a.ts': "import '../commands/a.js'; import '../queries/a.js';",
  'src/cli/serve.ts': "import '../main.js';",
  'src/adapters/a.ts': "import 'better-sqlite3'; import '../events/eventStore.js';",
};

/** A file, what it says, and the wall that it breaks. */
const breaches: readonly (readonly [file: string, text: string, wall: string])[] = [
  ['src/events/b.ts', "import '../commands/a.js';", 'events-imports-only-itself'],
  ['src/commands/b.ts', "import '../projections/a.js';", 'commands-imports-only-itself-events'],
  ['src/projections/b.ts', "import '../queries/a.js';", 'projections-imports-only-itself-events'],
  ['src/queries/b.ts', "import '../api/a.js';", 'queries-imports-only-itself-projections-events'],
  ['src/api/b.ts', "import '../adapters/a.js';", 'api-imports-only-itself-commands-queries-events'],
  [
    'src/api/c.ts',
    "import type {} from '../workers/a.js';",
    'api-imports-only-itself-commands-queries-events',
  ],
  [
    'src/workers/b.ts',
    "import '../projections/a.js';",
    'workers-imports-only-itself-commands-queries-events',
  ],
  ['src/adapters/b.ts', "import '../events/a.js';", 'adapters-import-only-ports'],
  ['src/cli/b.ts', "import '../events/a.js';", 'cli-talks-http'],
  [
    'src/api/d.ts',
    "import { port } from '../config.js'; port;",
    'rooms-know-only-the-types-of-settings',
  ],
  ['src/api/e.ts', "import 'better-sqlite3';", 'drivers-live-in-adapters'],
  ['src/api/f.ts', "import '@eventstore/db-client';", 'drivers-live-in-adapters'],
  ['src/projections/c.ts', "import 'node:worker_threads';", 'threads-live-in-adapters'],
  ['src/late.ts', "import './main.js';", 'only-serve-imports-main'],
  ['src/queries/c.ts', "import './c.js';", 'no-cycles'],
  ['src/queries/alone.ts', 'export const one = 1;', 'no-orphans'],
];

/** Cruises a throwaway tree of the given files with the project's own rules. */
async function cruise(files: Readonly<Record<string, string>>): Promise<string[]> {
  const tree = await mkdtemp(join(tmpdir(), 'fleetbook-walls-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await writeFile(join(tree, path), text);
    }
    const { summary } = JSON.parse(await runCruiser(tree)) as Cruised;
    // What isn't installed in a throwaway tree can't be resolved there: that is no wall.
    return summary.violations
      .filter(({ rule }) => !['no-unresolvable', 'no-dev-dependencies-in-src'].includes(rule.name))
      .map(({ from, rule }) => `${from}: ${rule.name}`);
  } finally {
    await rm(tree, { recursive: true });
  }
}

/** Its report as JSON; it ends with the number of violations, which is no failure here. */
function runCruiser(tree: string): Promise<string> {
  const program = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const rules = resolve('.dependency-cruiser.cjs');
  const args = [program, 'src', '--config', rules, '--output-type', 'json'];
  return new Promise((fulfil, reject) => {
    execFile(process.execPath, args, { cwd: tree, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      if (stdout === '') reject(error ?? new Error(stderr));
      else fulfil(stdout);
    });
  });
}

describe('the walls between the rooms', () => {
  it('let through what the architecture allows', async () => {
    expect(await cruise(rooms)).toEqual([]);
  });

  it('stop each import that the architecture forbids', async () => {
    const wrong = Object.fromEntries(breaches.map(([file, text]) => [file, text]));
    const found = await cruise({ ...rooms, ...wrong });
    const expected = breaches.map(([file, , wall]) => `${file}: ${wall}`);
    expect([...new Set(found)].sort()).toEqual([...expected].sort());
  });
});
