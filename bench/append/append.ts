import { join } from 'node:path';
import type { Bench, Benchmark, Chapter, Table } from '../harness/benchmark.js';
import { inChild } from '../harness/child.js';
import { count, millis, ratio, spreadOf } from '../harness/figures.js';
import { median, spread } from '../harness/statistics.js';
import { rawLimit, removeDatabase } from '../log/raw.js';
import type { Embedded, EmbeddedSettings } from './embeddedChild.js';

const EMBEDDED = new URL('./embeddedChild.js', import.meta.url);

interface Case {
  readonly writers: number;
  readonly batch: number;
}

/** One event an append, by more and more at once; and larger appends, by as many as send batches. */
const SINGLES: readonly Case[] = [1, 32, 256].map((writers) => ({ writers, batch: 1 }));
const BATCHES: readonly Case[] = [1, 100, 1_000].map((batch) => ({ writers: 4, batch }));

interface Measured extends Case {
  readonly embedded: Embedded[];
  /** Events a second of SQLite itself, in commits as large as the log's own in the same round. */
  readonly raw: number[];
}

export const append: Benchmark = { name: 'append', run };

async function run({ quick, folder, say }: Bench): Promise<Chapter> {
  const home = folder('append');
  const seconds = quick ? 1 : 2;
  const rounds = quick ? 2 : 5;
  const measured: Measured[] = [...SINGLES, ...BATCHES].map((one) => ({
    ...one,
    embedded: [],
    raw: [],
  }));
  const oneByOne: number[] = [];

  for (let round = 0; round < rounds; round++) {
    for (const [nth, { writers, batch, embedded, raw }] of measured.entries()) {
      const file = join(home, `log-${round}-${nth}.db`);
      const settings = { file, writers, batch, seconds } satisfies EmbeddedSettings;
      const result = await inChild<Embedded>(EMBEDDED, settings);
      removeDatabase(file);
      embedded.push(result);
      const group = Math.max(1, Math.round(result.perCommit));
      raw.push(await rawLimit(home, { streams: writers, group, seconds }));
      say(`${writers} × ${batch}: ${count(result.perSecond)}/s in groups of ${group}`);
    }
    oneByOne.push(await rawLimit(home, { streams: 256, group: 1, seconds }));
  }
  return chapter(measured, oneByOne);
}

function chapter(measured: readonly Measured[], oneByOne: readonly number[]): Chapter {
  const singly = median(oneByOne);
  const most = measured[SINGLES.length - 1];
  const ofRaw = most === undefined ? [] : ratiosOf(most);
  const ofOne = (most?.embedded ?? []).map(
    ({ perSecond }, round) => perSecond / (oneByOne[round] ?? NaN),
  );
  return {
    title: 'Append: the embedded log',
    about: `Writers that each append heartbeats, as the API makes them, to a stream of their own (expected revision
\`any\`) and go on when the append is durable. Beside it, in the same round, the limit of SQLite: the same
file format, rows and index, \`synchronous=FULL\`, a prepared statement in a bare loop, in commits as
large as the log's own were. With one commit an event SQLite itself wrote ${count(singly)} events/s.`,
    tables: [
      table('One event an append', measured.slice(0, SINGLES.length), oneByOne),
      table('Larger appends', measured.slice(SINGLES.length), oneByOne),
    ],
    targets: [
      {
        what: 'append by 256 writers to SQLite’s own group commits',
        wanted: '≥ 0.5×',
        measured: spreadOf(spread(ofRaw), ratio),
        reached: median(ofRaw) >= 0.5,
      },
      {
        what: 'append by 256 writers to one commit an append',
        wanted: '≥ 10×',
        measured: spreadOf(spread(ofOne), ratio),
        reached: median(ofOne) >= 10,
      },
    ],
  };
}

function table(title: string, measured: readonly Measured[], oneByOne: readonly number[]): Table {
  return {
    title,
    columns: [
      'writers × events',
      'events/s',
      'p50',
      'p99',
      'longest stall',
      'events a commit',
      'SQLite in such commits',
      'ratio',
      'to singly',
    ],
    rows: measured.map((one) => {
      const { writers, batch, embedded, raw } = one;
      const of = (pick: (embedded: Embedded) => number) => median(embedded.map(pick));
      return [
        `${writers} × ${count(batch)}`,
        spreadOf(spread(embedded.map(({ perSecond }) => perSecond))),
        millis(of(({ p50Ms }) => p50Ms)),
        millis(of(({ p99Ms }) => p99Ms)),
        millis(Math.max(...embedded.map(({ stallMs }) => stallMs))),
        count(of(({ perCommit }) => perCommit)),
        spreadOf(spread(raw)),
        ratio(median(ratiosOf(one))),
        ratio(of(({ perSecond }) => perSecond) / median(oneByOne)),
      ];
    }),
  };
}

function ratiosOf({ embedded, raw }: Measured): number[] {
  return embedded.map(({ perSecond }, round) => perSecond / (raw[round] ?? NaN));
}
