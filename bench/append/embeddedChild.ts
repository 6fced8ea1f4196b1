import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createMemorySignals } from '#dist/adapters/memory/signals.js';
import { openSqliteEventStore } from '#dist/adapters/sqlite/eventStore.js';
import { telemetryStream } from '#dist/events/streams.js';
import { measure } from '../harness/child.js';
import { percentile } from '../harness/statistics.js';
import { heartbeat, madeDevice } from '../log/events.js';

export interface EmbeddedSettings {
  readonly file: string;
  /** Each appends to a stream of its own, the next when the last is durable. */
  readonly writers: number;
  /** Events an append. */
  readonly batch: number;
  readonly seconds: number;
}

export interface Embedded {
  /** Events. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The longest time between two turns of the event loop that appends, at most 1 ms too much. */
  readonly stallMs: number;
  /** Events that one commit took on average. */
  readonly perCommit: number;
}

/** Enough that no event stands twice among the last of its stream, where it would be a repeat. */
const APPENDS_MADE = 40;
const WARM_UP_MS = 300;

/** Appends to the log as a server has it, with its writer thread. */
measure(async ({ file, writers, batch, seconds }: EmbeddedSettings): Promise<Embedded> => {
  const signals = createMemorySignals();
  const store = await openSqliteEventStore({ file, signals });
  const time = Date.now();
  const all = Array.from({ length: writers }, (_, index) => {
    const { device } = madeDevice(index, time);
    const appends = Array.from({ length: batch === 1 ? APPENDS_MADE : 2 }, () =>
      Array.from({ length: batch }, () => heartbeat(device, time)),
    );
    return { stream: telemetryStream(device.deviceId, time), appends };
  });

  const latencies: number[] = [];
  let commits = 0;
  // The log tells of every commit once.
  signals.listen(({ kind }) => {
    if (kind === 'log') commits += 1;
  });

  async function write(until: number): Promise<void> {
    await Promise.all(
      all.map(async ({ stream, appends }) => {
        for (let nth = 0; performance.now() < until; nth = (nth + 1) % appends.length) {
          const began = performance.now();
          await store.append(stream, appends[nth] ?? [], 'any');
          latencies.push(performance.now() - began);
        }
      }),
    );
  }

  await write(performance.now() + WARM_UP_MS);
  latencies.length = 0;
  commits = 0;
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const began = performance.now();
  await write(began + seconds * 1_000);
  const took = (performance.now() - began) / 1_000;
  delays.disable();
  await store.stop();
  await signals.stop();
  const events = latencies.length * batch;
  return {
    perSecond: events / took,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    stallMs: delays.max / 1e6,
    perCommit: events / commits,
  };
});
