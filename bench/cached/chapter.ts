import type { Chapter, Table, Target } from '../harness/benchmark.js';
import { count, micros, millis, ratio, spreadOf } from '../harness/figures.js';
import { ratios } from '../harness/rounds.js';
import { median, percentile, spread } from '../harness/statistics.js';
import { generator } from '../load/putLoad.js';
import type { LoadRound } from '../servers/underLoad.js';
import type { Mixed } from './mixedChild.js';

export const CONNECTIONS = 64;
export const DEVICES = 1_000;
/** In the mixed load: each writes devices of its own, and reads all. */
export const SESSIONS = 16;

interface Rounds {
  readonly express: readonly LoadRound[];
  readonly hits: readonly LoadRound[];
}

export function chapter(rounds: Rounds, mixed: Mixed): Chapter {
  return {
    title: 'Cached reads',
    about: `A user reads one of ${count(DEVICES)} devices a request, over ${CONNECTIONS} connections without pipelining
(${generator}, one thread, a process of its own); all of them are in the process's cache, and every request is
authenticated, checked for access, logged and counted. Beside it, in turn, an express 5 that answers the
same objects from a map by \`res.json\`. In the mixed load ${SESSIONS} sessions, in one process of their own, each write one of
their devices, read it at once, and read eight others of all, over and over. An answer is stale to its writer if it does not
show what was acknowledged to that session before it asked, and goes backwards if somebody had been
shown a later state before it was asked for.`,
    tables: [rates(rounds), mixedTable(mixed), latencies(mixed)],
    targets: targets(rounds, mixed),
  };
}

function rates({ express, hits }: Rounds): Table {
  const row = (name: string, rounds: readonly LoadRound[], to: string) => [
    name,
    spreadOf(spread(rateOf(rounds))),
    millis(median(rounds.map(({ p50Ms }) => p50Ms))),
    millis(median(rounds.map(({ p99Ms }) => p99Ms))),
    to,
    spreadOf(spread(rounds.map(({ servingUs }) => servingUs)), micros),
    micros(median(rounds.map(({ othersUs }) => othersUs))),
  ];
  return {
    columns: ['server', 'reads/s', 'p50', 'p99', 'to express', 'serving thread', 'its others'],
    rows: [
      row('express 5, the same answers', express, ''),
      row('Fleetbook, hits', hits, ratio(median(ratios(rateOf(hits), rateOf(express))))),
    ],
  };
}

function mixedTable(mixed: Mixed): Table {
  return {
    title: 'One write in ten requests',
    columns: ['requests/s', 'reads', 'hits', 'of own writes', 'stale to their writer', 'backwards'],
    rows: [
      [
        count(mixed.perSecond),
        count(mixed.hits + mixed.misses),
        percent(hitRate(mixed)),
        count(mixed.ownWritesRead),
        count(mixed.staleToWriter),
        count(mixed.backwards),
      ],
    ],
  };
}

/** Both wait for what their session has written: so it is not the cache alone that is seen here. */
function latencies({ hitMs, missMs }: Mixed): Table {
  const row = (name: string, ms: readonly number[]) => [
    name,
    count(ms.length),
    ...[0.5, 0.95, 0.99].map((part) => millis(percentile(ms, part))),
  ];
  return {
    title: 'Reads under that load',
    columns: ['', 'times', 'p50', 'p95', 'p99'],
    rows: [row('hits', hitMs), row('misses', missMs)],
  };
}

function targets({ express, hits }: Rounds, mixed: Mixed): Target[] {
  const toExpress = ratios(rateOf(hits), rateOf(express));
  const wrong = mixed.staleToWriter + mixed.backwards;
  return [
    {
      what: 'a cached read of a device to express answering the same',
      wanted: '≥ 0.6×',
      measured: spreadOf(spread(toExpress), ratio),
      reached: median(toExpress) >= 0.6,
    },
    {
      what: 'hits, with one write in ten requests',
      wanted: '> 85%',
      measured: percent(hitRate(mixed)),
      reached: hitRate(mixed) > 0.85,
    },
    {
      what: 'stale answers under that load',
      wanted: '0',
      measured: `${count(wrong)} of ${count(mixed.hits + mixed.misses)}`,
      reached: wrong === 0 && mixed.ownWritesRead > 0,
    },
  ];
}

const rateOf = (rounds: readonly LoadRound[]) => rounds.map(({ perSecond }) => perSecond);
const hitRate = ({ hits, misses }: Mixed) => hits / (hits + misses);
const percent = (part: number) => `${(part * 100).toFixed(1)}%`;
