// `node scripts/reliability.mjs` writes docs/reliability.md from what the fault tests have measured, one file a
// row under build/reliability; `npm run reliability` runs those tests first. Rows that are not there keep
// the page from being written, unless --partial is given.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';
import { code, table } from './docs/markdown.mjs';

const SECTIONS = {
  'A process is gone': [
    'fleet-kill',
    'takeover-embedded',
    'zombie',
    'killed-between-mongodb',
    'killed-between-sqlite',
    'sigterm-api',
    'sigterm-projections',
    'sigterm-workers',
  ],
  'The read-model store is away': ['mongodb-killed', 'mongodb-frozen', 'mongodb-half-open'],
  'Redis is away': ['redis-killed', 'redis-frozen', 'redis-half-open', 'redis-errors'],
  'What processes see of each other': ['fresh-read-embedded', 'fresh-read-mongodb', 'own-writes'],
  'Wrong settings': ['bad-mongodb', 'bad-redis'],
};

const INTRODUCTION = `# Reliability

<!-- Written by \`npm run reliability\`; do not edit. -->

What was broken on purpose, what must hold then, and what was measured when it was. Servers and processes are real ones,
killed (SIGKILL), stopped where they stand (SIGSTOP), or behind a proxy that swallows what is sent; the program
is started as an operator starts it. A MongoDB is \`mongod\` where one is installed, else SecantusDB, which speaks its
protocol and is slower; Redis is \`redis-server\`. \`npm test\` runs the same tests with fewer seeds: \`FAULT_SEEDS\` says how
many.

Times are those of one run on one machine, with its load (the average of the minute before) beside the date: a
comparison needs the same machine.`;

const folder = new URL('../build/reliability/', import.meta.url);
const kept = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => [
      file.replace('.json', ''),
      JSON.parse(readFileSync(new URL(file, folder), 'utf8')),
    ]),
);

const names = Object.values(SECTIONS).flat();
const missing = names.filter((name) => !kept.has(name));
const unknown = [...kept.keys()].filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`scripts/reliability.mjs has no place for ${unknown}`);
if (missing.length > 0 && !process.argv.includes('--partial')) {
  console.error(`no figures of ${missing.join(', ')}: npm run reliability, or --partial`);
  process.exit(1);
}

const sections = Object.entries(SECTIONS).flatMap(([title, rows]) => {
  const found = rows.filter((name) => kept.has(name)).map((name) => kept.get(name));
  if (found.length === 0) return [];
  return [
    `## ${title}`,
    table(
      ['fault', 'criterion', 'measured', 'how', 'when'],
      found.map((row) => [
        row.fault,
        row.criterion,
        row.measured,
        row.how,
        `${row.date}, load ${row.load}`,
      ]),
    ),
  ];
});
const machines = [...new Set(Array.from(kept.values(), ({ machine }) => machine))];
const absent =
  missing.length === 0 ? [] : [`Not measured in this run: ${missing.map(code).join(', ')}.`];
const machine = `Measured on ${machines.join('; ')}.`;

const file = new URL('../docs/reliability.md', import.meta.url);
const page = [INTRODUCTION, machine, ...absent, ...sections].join('\n\n');
writeFileSync(file, await format(page, { ...(await resolveConfig(file)), parser: 'markdown' }));
console.log('docs/reliability.md written');
