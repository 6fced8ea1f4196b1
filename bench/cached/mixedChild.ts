import { measure } from '../harness/child.js';
import type { Account } from '../servers/fleet.js';

export interface MixedSettings {
  /** Each is a client of its own; each device is written by one of them alone. */
  readonly sessions: readonly Account[];
  readonly deviceIds: readonly string[];
  readonly seconds: number;
}

export interface Mixed {
  /** Requests, writes among them. */
  readonly perSecond: number;
  readonly hits: number;
  readonly misses: number;
  /** Answers that did not show what the session itself had written, and had been told so, before it asked. */
  readonly staleToWriter: number;
  /** Answers older than one that somebody had got before it was asked for. */
  readonly backwards: number;
  /** Answers that show what the reader itself had written last. */
  readonly ownWritesRead: number;
  readonly hitMs: number[];
  readonly missMs: number[];
}

/** One write, a read of what was written, and reads of any device. */
const REQUESTS_A_TURN = 10;

/** What is known of a device's marker, which its writer counts up. */
interface Known {
  /** The last that its writer was told is written. */
  acknowledged: number;
  /** The last that somebody was shown. */
  shown: number;
}

/** Clients that write one time in ten, and check each answer against what they know. */
measure(async ({ sessions, deviceIds, seconds }: MixedSettings): Promise<Mixed> => {
  const known = new Map<string, Known>(
    deviceIds.map((id) => [id, { acknowledged: 0, shown: 0 }] as const),
  );
  const found = { requests: 0, hits: 0, misses: 0, staleToWriter: 0, backwards: 0 };
  const own = { read: 0 };
  const hitMs: number[] = [];
  const missMs: number[] = [];

  async function write({ url, token }: Account, id: string, device: Known): Promise<void> {
    const marker = device.acknowledged + 1;
    const response = await fetch(`${url}/api/devices/${id}/heartbeat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ metrics: { marker } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    device.acknowledged = marker;
    found.requests += 1;
  }

  async function read({ url, token }: Account, id: string, isOwn: boolean): Promise<void> {
    const device = known.get(id);
    if (device === undefined) throw new Error(`${id} is none of the devices`);
    const before = { ...device };
    const began = performance.now();
    const response = await fetch(`${url}/api/devices/${id}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    const isHit = response.headers.get('x-cache') === 'hit';
    (isHit ? hitMs : missMs).push(performance.now() - began);
    // What its own tests check.
    const { metrics } = JSON.parse(text) as { metrics: { marker?: number } };
    const { marker = 0 } = metrics;
    found.requests += 1;
    if (isHit) found.hits += 1;
    else found.misses += 1;
    if (isOwn && marker < before.acknowledged) found.staleToWriter += 1;
    if (isOwn && marker > 0) own.read += 1;
    if (marker < before.shown) found.backwards += 1;
    device.shown = Math.max(device.shown, marker);
  }

  const end = performance.now() + seconds * 1_000;
  async function client(session: Account, nth: number): Promise<void> {
    const mine = deviceIds.filter((_, index) => index % sessions.length === nth);
    while (performance.now() < end) {
      const written = oneOf(mine);
      const device = known.get(written);
      if (device === undefined) throw new Error('there are more sessions than devices');
      await write(session, written, device);
      await read(session, written, true);
      for (let more = 2; more < REQUESTS_A_TURN; more++) {
        const id = oneOf(deviceIds);
        await read(session, id, mine.includes(id));
      }
    }
  }

  const began = performance.now();
  await Promise.all(sessions.map(client));
  const perSecond = found.requests / ((performance.now() - began) / 1_000);
  return { perSecond, ...found, ownWritesRead: own.read, hitMs, missMs };
});

function oneOf(ids: readonly string[]): string {
  return ids[Math.floor(Math.random() * ids.length)] ?? '';
}
