import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { append } from './append/append.js';
import { cached } from './cached/cached.js';
import type { Bench, Benchmark, Chapter } from './harness/benchmark.js';
import { machine } from './harness/machine.js';
import { resultsOf } from './harness/report.js';
import { http } from './http/http.js';
import { ingest } from './ingest/ingest.js';
import { memory } from './memory/memory.js';
import { mongodb } from './mongodb/mongodb.js';
import { projections } from './projections/projections.js';
import { readable } from './readable/readable.js';
import { signals } from './signals/signals.js';
import { start } from './start/start.js';

/**
 * `npm run bench -- [--only append,http] [--quick] [--out FILE] [--folder FOLDER]`. A whole run writes
 * bench/RESULTS.md; a part of it, or a quick one, only prints. Data lies in FOLDER meanwhile, by
 * default in build/: the system's folder for such things is often in memory.
 */

const ALL: readonly Benchmark[] = [
  append,
  http,
  cached,
  ingest,
  projections,
  mongodb,
  readable,
  signals,
  start,
  memory,
];
const HERE = fileURLToPath(new URL('../../bench/', import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    out: { type: 'string' },
    folder: { type: 'string', default: join(HERE, '../build/bench-data') },
  },
});
const names = values.only?.split(',') ?? ALL.map(({ name }) => name);
const unknown = names.find((name) => !ALL.some((one) => one.name === name));
if (unknown !== undefined) {
  console.error(`there is no ${unknown}; there are ${ALL.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const whole = values.only === undefined && !values.quick;
const out = values.out ?? (whole ? join(HERE, 'RESULTS.md') : undefined);
mkdirSync(values.folder, { recursive: true });
const home = mkdtempSync(join(values.folder, 'run-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
const began = new Date();

const chapters: Chapter[] = [];
for (const benchmark of ALL.filter(({ name }) => names.includes(name))) {
  chapters.push(await benchmark.run(benchFor(benchmark.name)));
  // What was measured is kept, should the run be stopped.
  if (out !== undefined) writeFileSync(out, await results());
}
if (out === undefined) console.log(await results());

function results(): Promise<string> {
  return resultsOf(machine(HERE, home), began, chapters, join(HERE, 'NOTES.md'));
}

function benchFor(name: string): Bench {
  return {
    quick: values.quick,
    folder(called) {
      const made = join(home, called);
      mkdirSync(made, { recursive: true });
      return made;
    },
    say: (line) => console.error(`${name}: ${line}`),
  };
}
