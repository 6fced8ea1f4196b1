import { setTimeout as sleep } from 'node:timers/promises';
import { chunksOf } from '../harness/concurrency.js';
import type { Bench, Benchmark, Chapter } from '../harness/benchmark.js';
import { count, megabytes } from '../harness/figures.js';
import { slope } from '../harness/statistics.js';
import { heartbeatsOf, METRICS } from '../load/heartbeats.js';
import { putLoad } from '../load/putLoad.js';
import { residentBytes } from '../servers/cpu.js';
import { startFleetbook } from '../servers/fleetbook.js';
import { ask, makeFleet, registerDevices, settled, signUp } from '../servers/fleet.js';

/** The whole heap is collected seldom, and only right after it shows how much lives: to look each 5 s missed it. */
const SAMPLE_MS = 1_000;
const REST_MS = 30_000;
/** What a server needs to reach its working size: left out of the slope. */
const WARM_UP_S = 120;
const WINDOW_S = 30;
const CONNECTIONS = 64;
/** What may be added in a minute, as a part of what is resident, and still be called flat. */
const FLAT = 0.01;

export const memory: Benchmark = { name: 'memory', run };

async function run(bench: Bench): Promise<Chapter> {
  const { quick } = bench;
  const devices = quick ? 10_000 : 100_000;
  const fleet = await largeFleet(bench, devices);
  const run = quick ? undefined : await longRun(bench, 300);
  return chapter(devices, fleet, run);
}

interface Fleet {
  readonly emptyBytes: number;
  readonly registeredBytes: number;
  readonly heardBytes: number;
  readonly restedBytes: number;
}

/** Registers a large fleet of which each device is then heard once. */
async function largeFleet({ folder, say }: Bench, devices: number): Promise<Fleet> {
  const server = await startFleetbook(folder('memory-fleet'));
  try {
    const emptyBytes = residentBytes(server.pid);
    const account = await signUp(server.url);
    say(`registering ${count(devices)} devices`);
    const ids = await registerDevices(account, devices);
    const [first = ''] = ids;
    await settled(account, first);
    const registeredBytes = residentBytes(server.pid);
    say('a heartbeat of each');
    for (const some of chunksOf(ids, 1_000)) {
      const body = some.map((deviceId) => ({ kind: 'heartbeat', deviceId, metrics: METRICS }));
      await ask(`${server.url}/api/ingest`, { token: account.token, body });
    }
    await settled(account, first);
    const heardBytes = residentBytes(server.pid);
    await sleep(REST_MS);
    return { emptyBytes, registeredBytes, heardBytes, restedBytes: residentBytes(server.pid) };
  } finally {
    await server.stop();
  }
}

/** Seconds since the load began, and bytes. */
type Sample = readonly [second: number, bytes: number];

interface LongRun {
  readonly samples: readonly Sample[];
  readonly perSecond: number;
}

/** How the memory goes under full load. */
async function longRun({ folder, say }: Bench, seconds: number): Promise<LongRun> {
  const home = folder('memory-run');
  const server = await startFleetbook(home);
  try {
    const requests = heartbeatsOf(await makeFleet(await signUp(server.url), 1_000));
    say(`full load for ${seconds} s`);
    const { url, pid } = server;
    const load = putLoad({ url, connections: CONNECTIONS, seconds, requests, folder: home });
    const began = performance.now();
    const samples: Sample[] = [];
    for (let second = 0; second < seconds; second = (performance.now() - began) / 1_000) {
      samples.push([second, residentBytes(pid)]);
      await sleep(SAMPLE_MS);
    }
    const { perSecond } = await load;
    return { samples, perSecond };
  } finally {
    await server.stop();
  }
}

function chapter(devices: number, fleet: Fleet, run: LongRun | undefined): Chapter {
  const rows = [
    ['started, empty', megabytes(fleet.emptyBytes)],
    [`${count(devices)} devices registered`, megabytes(fleet.registeredBytes)],
    ['a heartbeat of each', megabytes(fleet.heardBytes)],
    [`${REST_MS / 1_000} s later`, megabytes(fleet.restedBytes)],
  ];
  return {
    title: 'Memory',
    about: `What is resident of the whole server: its heap, its threads, SQLite's caches.${
      run === undefined
        ? ''
        : ` The long run is ${CONNECTIONS} connections at ${count(run.perSecond)} heartbeats/s over 1,000 devices,
sampled every ${SAMPLE_MS / 1_000} s. Its growth is the slope of the straight line through the least of each ${WINDOW_S} s
after the first ${WARM_UP_S} s.`
    }`,
    tables: [
      { title: 'A large fleet', columns: ['server', 'resident'], rows },
      ...(run === undefined
        ? []
        : [{ title: 'A long run', columns: ['after', 'resident'], rows: minutes(run.samples) }]),
    ],
    targets: [
      {
        what: `${count(devices)} registered devices, each heard of`,
        wanted: '< 400 MB',
        measured: megabytes(fleet.heardBytes),
        reached: fleet.heardBytes < 400e6,
      },
      ...(run === undefined ? [] : [flatness(run.samples)]),
    ],
  };
}

function minutes(samples: readonly Sample[]): string[][] {
  const rows: string[][] = [];
  for (const [second, bytes] of samples) {
    if (second >= rows.length * WINDOW_S) rows.push([`${Math.round(second)} s`, megabytes(bytes)]);
  }
  return rows;
}

function flatness(samples: readonly Sample[]) {
  const lows = lowsOf(samples.filter(([second]) => second >= WARM_UP_S));
  const perMinute = slope(lows) * 60;
  const least = Math.min(...lows.map(([, bytes]) => bytes));
  return {
    what: 'growth under full load',
    wanted: `flat (< ${FLAT * 100}% a minute)`,
    measured: `${(perMinute / 1e6).toFixed(1)} MB a minute`,
    reached: perMinute < FLAT * least,
  };
}

/** The least of each window: what lies above is garbage that was not collected yet, and no growth. */
function lowsOf(samples: readonly Sample[]): Sample[] {
  const lows = new Map<number, Sample>();
  for (const sample of samples) {
    const window = Math.floor(sample[0] / WINDOW_S);
    const known = lows.get(window);
    if (known === undefined || sample[1] < known[1]) lows.set(window, sample);
  }
  return [...lows.values()];
}
