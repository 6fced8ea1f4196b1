import { join } from 'node:path';
import type { Bench, Benchmark, Chapter } from '../harness/benchmark.js';
import { inChild } from '../harness/child.js';
import { count, micros, ratio, spreadOf } from '../harness/figures.js';
import { inTurn, ratios } from '../harness/rounds.js';
import { median, spread } from '../harness/statistics.js';
import { prepareLog } from '../log/prepare.js';
import type { Folded, FoldSettings } from '../projections/foldChild.js';
import { inNewDatabase, serverAt } from './database.js';
import type { RawSettings, Written } from './rawChild.js';

const FOLD = new URL('../projections/foldChild.js', import.meta.url);
const RAW = new URL('./rawChild.js', import.meta.url);
const DEVICES = 1_000;
const TARGET = {
  what: `heartbeats folded into MongoDB to bare bulk writes, over ${count(DEVICES)} devices`,
  wanted: '≥ 0.5×',
};
/** The first batch, which has the registrations, is not counted. */
const BATCH = 20_000;
const TITLE = 'Projections: MongoDB';

/** Needs the server at MONGODB_URI, where it makes databases of its own and drops them again. */
export const mongodb: Benchmark = { name: 'mongodb', run };

async function run({ quick, folder, say }: Bench): Promise<Chapter> {
  const uri = process.env.MONGODB_URI;
  if (uri === undefined || uri === '') {
    say('!! SKIPPED: there is no MONGODB_URI');
    const about = '**Skipped**: there was no `MONGODB_URI`.';
    const target = { ...TARGET, measured: 'not measured', reached: false };
    return { title: TITLE, about, tables: [], targets: [target] };
  }
  const home = folder('mongodb');
  // Servers for tests write some hundred documents a second.
  const devices = quick ? DEVICES / 10 : DEVICES;
  const heartbeats = (quick ? 3 : 8) * BATCH - devices;
  say(`preparing a log of ${count(heartbeats)} heartbeats of ${count(devices)} devices`);
  const log = await prepareLog(join(home, 'log.db'), devices, heartbeats);
  const { written, folded } = await inTurn<'written' | 'folded', Written | Folded>(quick ? 2 : 3, {
    written: () =>
      inNewDatabase(uri, async (own) => {
        const result = await inChild<Written>(RAW, { log, uri: own } satisfies RawSettings);
        say(`${count(result.perSecond)} heartbeats/s written as they are`);
        return result;
      }),
    folded: () =>
      inNewDatabase(uri, async (own) => {
        const result = await inChild<Folded>(FOLD, {
          log,
          readModels: join(home, 'unused.db'),
          mongodb: { uri: own, minPoolSize: 0, maxPoolSize: 20, transactions: 'never' },
        } satisfies FoldSettings);
        say(`${count(result.perSecond)} heartbeats/s folded`);
        return result;
      }),
  });
  // What each answers.
  const all = { written: written as Written[], folded: folded as Folded[] };
  return chapter(await serverAt(uri), { devices, heartbeats }, all);
}

function chapter(
  server: string,
  { devices, heartbeats }: { readonly devices: number; readonly heartbeats: number },
  { written, folded }: { written: readonly Written[]; folded: readonly Folded[] },
): Chapter {
  const rates = (rounds: readonly { readonly perSecond: number }[]) =>
    rounds.map(({ perSecond }) => perSecond);
  const toRaw = ratios(rates(folded), rates(written));
  const row = (name: string, rounds: readonly (Written | Folded)[], to: string) => [
    name,
    spreadOf(spread(rates(rounds))),
    to,
    micros(median(rounds.map(({ cpuUs }) => cpuUs))),
  ];
  return {
    title: TITLE,
    about: `Every projection folds ${count(heartbeats)} heartbeats of ${count(devices)} devices from the embedded log into
${server}. Beside it, in turn: the very documents that this
writes (${median(written.map(({ documents }) => documents)).toFixed(2)} a heartbeat, since many are folded at once), made beforehand, in bare bulk writes
(\`replaceOne\` with upsert, unordered) without guard, checkpoint or lease, into collections with the same indexes, under
the same write concern. Each round is a new process and a new database.`,
    tables: [
      {
        columns: ['', 'heartbeats/s', 'to bare', 'processor time of the client for one'],
        rows: [row('bare bulk writes', written, ''), row('folded', folded, ratio(median(toRaw)))],
      },
    ],
    targets: [
      { ...TARGET, measured: spreadOf(spread(toRaw), ratio), reached: median(toRaw) >= 0.5 },
    ],
  };
}
