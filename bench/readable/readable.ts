import type { Bench, Benchmark, Chapter } from '../harness/benchmark.js';
import { inChild } from '../harness/child.js';
import { count, millis } from '../harness/figures.js';
import { percentile } from '../harness/statistics.js';
import { heartbeatsOf } from '../load/heartbeats.js';
import { putLoad } from '../load/putLoad.js';
import { startFleetbook } from '../servers/fleetbook.js';
import { logIn, makeFleet, registerDevices, signUp } from '../servers/fleet.js';
import type { Readable, ReadableSettings } from './probeChild.js';

const PROBE = new URL('./probeChild.js', import.meta.url);
const CONNECTIONS = 64;
const DEVICES = 1_000;

export const readable: Benchmark = { name: 'readable', run };

async function run({ quick, folder, say }: Bench): Promise<Chapter> {
  const home = folder('readable');
  const seconds = quick ? 5 : 30;
  const server = await startFleetbook(folder('readable/fleetbook'));
  try {
    const { url } = server;
    const account = await signUp(url);
    const requests = heartbeatsOf(await makeFleet(account, DEVICES));
    const [deviceId = ''] = await registerDevices(account, 1);
    const reader = await logIn(url);
    const probe = (probing: number) =>
      inChild<Readable>(PROBE, {
        deviceId,
        writer: account,
        reader,
        seconds: probing,
      } satisfies ReadableSettings);
    const load = (loading: number) =>
      putLoad({ url, connections: CONNECTIONS, seconds: loading, requests, folder: home });

    say('warming up');
    await load(3);
    const idle = await probe(Math.min(5, seconds));
    // The load outlasts the probe, whose process has to start first.
    const [loaded, busy] = await Promise.all([load(seconds + 2), probe(seconds)]);
    return chapter(idle, busy, loaded.perSecond);
  } finally {
    await server.stop();
  }
}

function chapter(idle: Readable, busy: Readable, perSecond: number): Chapter {
  const row = (name: string, ms: readonly number[]) => [
    name,
    count(ms.length),
    ...[0.5, 0.95, 0.99, 1].map((part) => millis(percentile(ms, part))),
  ];
  const p99 = percentile(busy.shown, 0.99);
  return {
    title: 'From acknowledged to readable',
    about: `While ${CONNECTIONS} connections send ${count(perSecond)} heartbeats/s over ${count(DEVICES)} devices, one
more client writes a value never seen before and, in another session, reads the device again and again until
it shows; the clock starts with the acknowledgement. Then the same with one read that names the position. Every
read waits in the same queue of requests as the load. Beside it the same server with nothing else to do.`,
    tables: [
      {
        columns: ['', 'times', 'p50', 'p95', 'p99', 'longest'],
        rows: [
          row('under load: a plain read shows it', busy.shown),
          row('under load: a read that waits for it', busy.awaited),
          row('under load: the heartbeat itself', busy.acknowledged),
          row('idle: a plain read shows it', idle.shown),
          row('idle: a read that waits for it', idle.awaited),
          row('idle: the heartbeat itself', idle.acknowledged),
        ],
      },
    ],
    targets: [
      {
        what: 'acknowledged to readable under load, p99',
        wanted: '< 100 ms',
        measured: millis(p99),
        reached: p99 < 100,
      },
    ],
  };
}
