import { createMemorySignals } from '#dist/adapters/memory/signals.js';
import { openSqliteEventStore } from '#dist/adapters/sqlite/eventStore.js';
import { deviceStream, telemetryStream } from '#dist/events/streams.js';
import { withConcurrency } from '../harness/concurrency.js';
import { heartbeat, madeDevice } from './events.js';

/** A log made beforehand: devices, and then their heartbeats in turn, as a fleet sends them. */
export interface PreparedLog {
  readonly file: string;
  readonly heartbeats: number;
  /** Of the last registration: what comes behind it are heartbeats. */
  readonly registeredAt: string;
  /** Of the last event. */
  readonly head: string;
}

/** When the first device was registered: the morning of some day (UTC). */
const BEGIN = Date.UTC(2026, 0, 15, 6);
const HEARTBEAT_EVERY_MS = 30_000;
const APPENDS_AT_ONCE = 2_000;

export async function prepareLog(
  file: string,
  deviceCount: number,
  heartbeats: number,
): Promise<PreparedLog> {
  const signals = createMemorySignals();
  const store = await openSqliteEventStore({ file, signals });
  const made = Array.from({ length: deviceCount }, (_, index) => madeDevice(index, BEGIN));
  let registeredAt = 0n;
  await withConcurrency(APPENDS_AT_ONCE, made, async ({ device, registered }) => {
    const { position } = await store.append(deviceStream(device.deviceId), [registered], 'none');
    if (position > registeredAt) registeredAt = position;
  });
  let head: bigint = registeredAt;
  for (let sent = 0; sent < heartbeats; sent += deviceCount) {
    const time = BEGIN + (sent / deviceCount + 1) * HEARTBEAT_EVERY_MS;
    const turn = made.slice(0, heartbeats - sent);
    await withConcurrency(APPENDS_AT_ONCE, turn, async ({ device }) => {
      const stream = telemetryStream(device.deviceId, time);
      const { position } = await store.append(stream, [heartbeat(device, time)], 'any');
      if (position > head) head = position;
    });
  }
  await store.stop();
  await signals.stop();
  return { file, heartbeats, registeredAt: String(registeredAt), head: String(head) };
}
