import { setTimeout as sleep } from 'node:timers/promises';
import { measure } from '../harness/child.js';
import { ask } from '../servers/fleet.js';

export interface ReadableSettings {
  readonly url: string;
  readonly deviceId: string;
  /** The token of the session that writes. */
  readonly writer: string;
  /** The token of another: its reads wait for no write of the first by themselves. */
  readonly reader: string;
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
  const { url, deviceId, writer, reader, seconds } = settings;
  const device = `${url}/api/devices/${deviceId}`;
  const found: Readable = { shown: [], awaited: [], acknowledged: [] };
  let marker = 0;

  /** Writes a value never written before; gives its position and when it was acknowledged. */
  async function write() {
    const began = performance.now();
    const body = { metrics: { marker: ++marker } };
    const { position } = await ask<{ position: string }>(`${device}/heartbeat`, {
      token: writer,
      body,
    });
    const at = performance.now();
    found.acknowledged.push(at - began);
    return { position, at };
  }

  async function read(headers: Readonly<Record<string, string>>): Promise<number | undefined> {
    const { metrics } = await ask<{ metrics: { marker?: number } }>(device, {
      token: reader,
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
