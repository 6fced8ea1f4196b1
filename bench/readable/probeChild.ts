import { setTimeout as sleep } from 'node:timers/promises';
import { measure } from '../harness/child.js';
import { ask, type Account } from '../servers/fleet.js';

export interface ReadableSettings {
  readonly deviceId: string;
  /** The session that writes. */
  readonly writer: Account;
  /** Another, maybe at another server: its reads wait for no write of the first by themselves. */
  readonly reader: Account;
  readonly seconds: number;
}

/** Milliseconds, one of each probe. */
export interface Readable {
  /** From the acknowledgement until a plain read shows what was written. */
  readonly shown: number[];
  /** From the acknowledgement until a read that names the position (X-Consistent-With) is answered. */
  readonly awaited: number[];
  /** A heartbeat, from sending it to its acknowledgement. */
  readonly acknowledged: number[];
}

const BETWEEN_MS = 10;

measure(async (settings: ReadableSettings): Promise<Readable> => {
  const { deviceId, writer, reader, seconds } = settings;
  const path = `/api/devices/${deviceId}`;
  const found: Readable = { shown: [], awaited: [], acknowledged: [] };
  let marker = 0;

  /** Writes a value never written before; gives its position and when it was acknowledged. */
  async function write() {
    const began = performance.now();
    const body = { metrics: { marker: ++marker } };
    const { position } = await ask<{ position: string }>(`${writer.url}${path}/heartbeat`, {
      token: writer.token,
      body,
    });
    const at = performance.now();
    found.acknowledged.push(at - began);
    return { position, at };
  }

  async function read(headers: Readonly<Record<string, string>>): Promise<number | undefined> {
    const { metrics } = await ask<{ metrics: { marker?: number } }>(`${reader.url}${path}`, {
      token: reader.token,
      headers,
    });
    return metrics.marker;
  }

  const end = performance.now() + seconds * 1_000;
  while (performance.now() < end) {
    const polled = await write();
    while ((await read({})) !== marker);
    found.shown.push(performance.now() - polled.at);
    await sleep(BETWEEN_MS);

    const awaited = await write();
    const value = await read({ 'x-consistent-with': awaited.position });
    if (value !== marker) throw new Error(`a consistent read showed ${value} instead of ${marker}`);
    found.awaited.push(performance.now() - awaited.at);
    await sleep(BETWEEN_MS);
  }
  return found;
});
