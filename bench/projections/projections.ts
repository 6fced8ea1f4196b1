import { join } from 'node:path';
import type { Bench, Benchmark, Chapter } from '../harness/benchmark.js';
import { inChild } from '../harness/child.js';
import { count, megabytes, micros, ratio, spreadOf } from '../harness/figures.js';
import { inTurn, ratios } from '../harness/rounds.js';
import { median, spread } from '../harness/statistics.js';
import { prepareLog } from '../log/prepare.js';
import { removeDatabase } from '../log/raw.js';
import type { Folded, FoldSettings } from './foldChild.js';
import type { Scanned } from './scanChild.js';

const FOLD = new URL('./foldChild.js', import.meta.url);
const SCAN = new URL('./scanChild.js', import.meta.url);

export const projections: Benchmark = { name: 'projections', run };

interface Measured {
  readonly devices: number;
  readonly folded: readonly Folded[];
  readonly scanned: readonly Scanned[];
}

async function run(bench: Bench): Promise<Chapter> {
  const heartbeats = bench.quick ? 100_000 : 300_000;
  const measured: Measured[] = [];
  for (const devices of [1_000, 100_000]) measured.push(await fold(bench, devices, heartbeats));
  return chapter(measured, heartbeats);
}

async function fold(
  { quick, folder, say }: Bench,
  devices: number,
  heartbeats: number,
): Promise<Measured> {
  const home = folder(`projections-${devices}`);
  say(`preparing a log of ${count(heartbeats)} heartbeats of ${count(devices)} devices`);
  const log = await prepareLog(join(home, 'log.db'), devices, heartbeats);
  let round = 0;
  const { folded, scanned } = await inTurn<'folded' | 'scanned', Scanned | Folded>(quick ? 2 : 5, {
    scanned: () => inChild<Scanned>(SCAN, log),
    async folded() {
      const readModels = join(home, `read-models-${round++}.db`);
      const result = await inChild<Folded>(FOLD, { log, readModels } satisfies FoldSettings);
      removeDatabase(readModels);
      say(`${count(result.perSecond)} heartbeats/s folded over ${count(devices)} devices`);
      return result;
    },
  });
  // What `folded` answers.
  return { devices, folded: folded as Folded[], scanned };
}

function chapter(measured: readonly Measured[], heartbeats: number): Chapter {
  const shown = measured.map(({ devices, folded, scanned }) => {
    const rates = rateOf(folded);
    const scans = rateOf(scanned);
    const wanted = Math.max(50_000, 0.15 * median(scans));
    return { devices, folded, scanned, rates, scans, wanted };
  });
  return {
    title: 'Projections: catching up from the log',
    about: `Every projection of the system folds ${count(heartbeats)} heartbeats that lie in the log, in turn over
the devices as a fleet sends them, 30 s apart, into the SQLite read models; the devices were folded before the
clock starts, on a thread as the server has it: heap limits, priority and all. Beside it, in turn: reading and parsing the same events and doing nothing with them. Each
round is a new process and a new read-model file.`,
    tables: [
      {
        columns: [
          'devices',
          'folded/s',
          'scan and parse/s',
          'ratio',
          'processor time to fold one',
          'to scan one',
          'resident after',
        ],
        rows: shown.map(({ devices, folded, scanned, rates, scans }) => [
          count(devices),
          spreadOf(spread(rates)),
          spreadOf(spread(scans)),
          ratio(median(ratios(rates, scans))),
          micros(median(folded.map(({ cpuUs }) => cpuUs))),
          micros(median(scanned.map(({ cpuUs }) => cpuUs))),
          megabytes(median(folded.map(({ rssBytes }) => rssBytes))),
        ]),
      },
    ],
    targets: shown.slice(0, 1).map(({ devices, rates, wanted }) => ({
      what: `heartbeats folded a second over ${count(devices)} devices`,
      wanted: `≥ ${count(wanted)} (50,000 or 0.15 of scan and parse)`,
      measured: spreadOf(spread(rates)),
      reached: median(rates) >= wanted,
    })),
  };
}

const rateOf = (rounds: readonly Scanned[]) => rounds.map(({ perSecond }) => perSecond);
