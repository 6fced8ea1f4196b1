import { join } from 'node:path';
import type { Bench, Benchmark, Chapter, Table, Target } from '../harness/benchmark.js';
import { inChild } from '../harness/child.js';
import { count, millis } from '../harness/figures.js';
import { percentile } from '../harness/statistics.js';
import { inNewDatabase } from '../mongodb/database.js';
import type { Readable, ReadableSettings } from '../readable/probeChild.js';
import { startFleetbook } from '../servers/fleetbook.js';
import { logIn, registerDevices, settled, signUp } from '../servers/fleet.js';
import { startRedis } from '../servers/redis.js';

const PROBE = new URL('../readable/probeChild.js', import.meta.url);
const WARM_UP_S = 1;

/** From a write in one process, through the projections in a second, to a read in a third. */
export const signals: Benchmark = { name: 'signals', run };

async function run(bench: Bench): Promise<Chapter> {
  const ways: Way[] = [];
  const probe = async (name: string, settings: Settings) => {
    ways.push({ name, found: await probed(bench, name, settings) });
  };
  const redis = await startRedis();
  if (redis === undefined) {
    bench.say('!! SKIPPED with Redis: there is no redis-server on the PATH');
  } else {
    try {
      await probe(WITH_REDIS, { REDIS_URL: redis.url });
      const uri = process.env.MONGODB_URI ?? '';
      if (uri === '') bench.say('!! SKIPPED with MongoDB: there is no MONGODB_URI');
      else {
        await inNewDatabase(uri, (MONGODB_URI) =>
          probe(WITH_MONGODB, { REDIS_URL: redis.url, MONGODB_URI }),
        );
      }
    } finally {
      await redis.stop();
    }
  }
  await probe('without Redis', {});
  return chapter(ways);
}

type Settings = Readonly<Record<string, string>>;

const WITH_REDIS = 'with Redis';
const WITH_MONGODB = 'with MongoDB and Redis';

/** How the processes may be told of each other's work. */
interface Way {
  readonly name: string;
  readonly found: Readable;
}

async function probed(
  { quick, folder, say }: Bench,
  way: string,
  settings: Settings,
): Promise<Readable> {
  const home = (role: string) => folder(join('signals', way, role));
  const shared = { ...settings, DATA_DIR: home('data') };
  const servers = [];
  try {
    for (const [name, ROLES] of Object.entries({
      writing: 'api',
      reading: 'api',
      folding: 'projections',
    })) {
      servers.push(await startFleetbook(home(name), { ...shared, ROLES }));
    }
    const [writing, reading] = servers;
    if (writing === undefined || reading === undefined) throw new Error('they were not started');
    const writer = await signUp(writing.url);
    const [deviceId = ''] = await registerDevices(writer, 1);
    await settled(writer, deviceId);
    const reader = await logIn(reading.url);
    const probe = (seconds: number) =>
      inChild<Readable>(PROBE, { deviceId, writer, reader, seconds } satisfies ReadableSettings);
    await probe(WARM_UP_S);
    const found = await probe(quick ? 5 : 30);
    say(`${way}: p99 ${millis(percentile(found.shown, 0.99))}`);
    return found;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function chapter(ways: readonly Way[]): Chapter {
  return {
    title: 'Signals: from one process to another',
    about: `Three processes share one log and the read models: in one a client writes a value never seen before, the second
folds, and in the third another session reads the device again and again until it shows; the clock starts with the
acknowledgement. Then the same with one read that names the position. Without Redis a process looks for itself: for the
log every 25 ms, for a position that a read waits for every 100 ms, and for cached answers that have changed every 500 ms.`,
    tables: [table(ways)],
    targets: [target(ways, WITH_REDIS), target(ways, WITH_MONGODB)],
  };
}

function table(ways: readonly Way[]): Table {
  const row = (name: string, ms: readonly number[]) => [
    name,
    count(ms.length),
    ...[0.5, 0.95, 0.99, 1].map((part) => millis(percentile(ms, part))),
  ];
  return {
    columns: ['', 'times', 'p50', 'p95', 'p99', 'longest'],
    rows: ways.flatMap(({ name, found: { shown, awaited } }) => [
      row(`${name}: a plain read shows it`, shown),
      row(`${name}: a read that waits for it`, awaited),
    ]),
  };
}

function target(ways: readonly Way[], called: string): Target {
  const way = ways.find(({ name }) => name === called);
  const p99 = way && percentile(way.found.shown, 0.99);
  return {
    what: `acknowledged by one process to readable in another, p99 (${called})`,
    wanted: '< 100 ms',
    measured: p99 === undefined ? 'not measured' : millis(p99),
    reached: p99 !== undefined && p99 < 100,
  };
}
