import type { Chapter, Table, Target } from '../harness/benchmark.js';
import { count, micros, millis, ratio, spreadOf } from '../harness/figures.js';
import { ratios } from '../harness/rounds.js';
import { median, spread } from '../harness/statistics.js';
import { generator } from '../load/putLoad.js';
import type { LoadRound } from '../servers/underLoad.js';

export const CONNECTIONS = 64;

export interface FleetbookRound extends LoadRound {
  /** How long after the load the last of it could be read. */
  readonly settledMs: number;
}

export interface Rounds {
  readonly express: readonly LoadRound[];
  readonly fastify: readonly LoadRound[];
  /** Over 1,000 devices. */
  readonly many: readonly FleetbookRound[];
  /** Over one. */
  readonly one: readonly FleetbookRound[];
}

/** Events that one commit of the log took on average, of heartbeats over so many devices. */
export interface PerCommit {
  readonly many: number;
  readonly one: number;
}

export function chapter(rounds: Rounds, perCommit: PerCommit): Chapter {
  return {
    title: 'HTTP: one heartbeat a request',
    about: `${CONNECTIONS} connections without pipelining (${generator}, one thread, a process of its own). A
heartbeat is authenticated by its device's own token, validated, limited, durable before it is answered,
projected, logged and counted. Both echoes parse the same request and answer its body. Each server is a
process of its own, loaded in turn round after round; ratios are medians of the rounds' own ratios, and
beside a median stand the least and the most. A stall is the longest time between two turns of the
server's event loop, looked at every millisecond.`,
    tables: [rates(rounds), costs(rounds), insides(rounds, perCommit)],
    targets: targets(rounds),
  };
}

function named({ express, fastify, many, one }: Rounds): [string, readonly LoadRound[]][] {
  return [
    ['express 5 echo', express],
    ['fastify 5 echo', fastify],
    ['Fleetbook, 1,000 devices', many],
    ['Fleetbook, 1 device', one],
  ];
}

function rates(all: Rounds): Table {
  const to = (rounds: readonly LoadRound[], other: readonly LoadRound[]) =>
    ratio(median(ratios(rateOf(rounds), rateOf(other))));
  return {
    columns: ['server', 'requests/s', 'p50', 'p99', 'longest stall', 'to express', 'to fastify'],
    rows: named(all).map(([name, rounds]) => [
      name,
      spreadOf(spread(rateOf(rounds))),
      millis(median(rounds.map(({ p50Ms }) => p50Ms))),
      millis(median(rounds.map(({ p99Ms }) => p99Ms))),
      millis(longestStall(rounds)),
      to(rounds, all.express),
      to(rounds, all.fastify),
    ]),
  };
}

/** Rates fall when others use the machine; what a request costs hardly does. */
function costs(all: Rounds): Table {
  return {
    title: 'Processor time a request',
    columns: ['server', 'serving thread', 'its other threads', 'serving thread, to express'],
    rows: named(all).map(([name, rounds]) => [
      name,
      spreadOf(spread(rounds.map(({ servingUs }) => servingUs)), micros),
      spreadOf(spread(rounds.map(({ othersUs }) => othersUs)), micros),
      ratio(median(ratios(servingOf(all.express), servingOf(rounds)))),
    ]),
  };
}

function insides({ many, one }: Rounds, perCommit: PerCommit): Table {
  const row = (name: string, events: number, rounds: readonly FleetbookRound[]) => [
    name,
    count(events),
    millis(Math.max(...rounds.map(({ settledMs }) => settledMs))),
  ];
  return {
    title: 'Inside Fleetbook',
    columns: ['over', 'events a commit', 'all of it readable after the load (slowest)'],
    rows: [row('1,000 devices', perCommit.many, many), row('1 device', perCommit.one, one)],
  };
}

function targets({ express, fastify, many }: Rounds): Target[] {
  const toExpress = ratios(rateOf(many), rateOf(express));
  const toFastify = ratios(rateOf(many), rateOf(fastify));
  return [
    {
      what: 'a heartbeat to the express echo, over 1,000 devices',
      wanted: '≥ 1.5× (aim 2.2×)',
      measured: spreadOf(spread(toExpress), ratio),
      reached: median(toExpress) >= 1.5,
    },
    {
      what: 'a heartbeat to the fastify echo, over 1,000 devices',
      wanted: 'aim 0.77×',
      measured: spreadOf(spread(toFastify), ratio),
      reached: median(toFastify) >= 0.77,
    },
    {
      what: 'longest stall of the HTTP event loop under that load',
      wanted: '< 20 ms',
      measured: millis(longestStall(many)),
      reached: longestStall(many) < 20,
    },
  ];
}

const rateOf = (rounds: readonly LoadRound[]) => rounds.map(({ perSecond }) => perSecond);
const servingOf = (rounds: readonly LoadRound[]) => rounds.map(({ servingUs }) => servingUs);
const longestStall = (rounds: readonly LoadRound[]) =>
  Math.max(...rounds.map(({ stallMs }) => stallMs));
