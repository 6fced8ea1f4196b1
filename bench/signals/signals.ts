import { join } from 'node:path';
import type { Bench, Benchmark, Chapter, Table, Target } from '../harness/benchmark.js';
import { inChild } from '../harness/child.js';
import { count, millis } from '../harness/figures.js';
import { percentile } from '../harness/statistics.js';
import type { Readable, ReadableSettings } from '../readable/probeChild.js';
import { startFleetbook } from '../servers/fleetbook.js';
import { logIn, registerDevices, settled, signUp } from '../servers/fleet.js';
import { startRedis } from '../servers/redis.js';

const PROBE = new URL('../readable/probeChild.js', import.meta.url);
const WARM_UP_S = 1;

/** From a write in one process, through the projections in a second, to a read in a third. */
export const signals: Benchmark = { name: 'signals', run };

async function run(bench: Bench): Promise<Chapter> {
  const alone = await probed(bench, 'without');
  const redis = await startRedis();
  if (redis === undefined) {
    bench.say('!! SKIPPED with Redis: there is no redis-server on the PATH');
    return chapter(alone, undefined);
  }
  try {
    return chapter(alone, await probed(bench, 'with', { REDIS_URL: redis.url }));
  } finally {
    await redis.stop();
  }
}

async function probed(
  { quick, folder, say }: Bench,
  redis: 'with' | 'without',
  settings: Readonly<Record<string, string>> = {},
): Promise<Readable> {
  const home = (role: string) => folder(join('signals', redis, role));
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
    say(`${redis} Redis: p99 ${millis(percentile(found.shown, 0.99))}`);
    return found;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

function chapter(alone: Readable, shared: Readable | undefined): Chapter {
  return {
    title: 'Signals: from one process to another',
    about: `Three processes share one log and the read models: in one a client writes a value never seen before, the second
folds, and in the third another session reads the device again and again until it shows; the clock starts with the
acknowledgement. Then the same with one read that names the position. Without Redis a process looks for itself: for the
log every 25 ms, for a position that a read waits for every 100 ms, and for cached answers that have changed every 500 ms.`,
    tables: [table(alone, shared)],
    targets: [target(shared)],
  };
}

function table(alone: Readable, shared: Readable | undefined): Table {
  const row = (name: string, ms: readonly number[]) => [
    name,
    count(ms.length),
    ...[0.5, 0.95, 0.99, 1].map((part) => millis(percentile(ms, part))),
  ];
  const rows = (name: string, { shown, awaited }: Readable) => [
    row(`${name}: a plain read shows it`, shown),
    row(`${name}: a read that waits for it`, awaited),
  ];
  return {
    columns: ['', 'times', 'p50', 'p95', 'p99', 'longest'],
    rows: [
      ...(shared === undefined ? [] : rows('with Redis', shared)),
      ...rows('without Redis', alone),
    ],
  };
}

function target(shared: Readable | undefined): Target {
  const what = 'acknowledged by one process to readable in another, p99 (with Redis)';
  const wanted = '< 100 ms';
  if (shared === undefined) return { what, wanted, measured: 'not measured', reached: false };
  const p99 = percentile(shared.shown, 0.99);
  return { what, wanted, measured: millis(p99), reached: p99 < 100 };
}
