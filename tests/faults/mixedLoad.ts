import { randomUUID } from 'node:crypto';
import type { Client, Reply } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import type { DeviceBody, ProblemBody } from '../support/people.js';

/** What a client was told is done. */
export interface Acknowledged {
  readonly heartbeats: readonly string[];
  /** What a device was called, and is therefore told once in the log. */
  readonly names: readonly string[];
}

export interface MixedLoad {
  readonly acknowledged: Acknowledged;
  /** Answers that showed less than their reader had written. */
  readonly stale: readonly string[];
  /** Answers that no client should get, whatever is away. */
  readonly wrong: readonly string[];
  readonly reads: () => number;
  readonly writes: () => number;
  /** Reads that were told to come again, since the projections had not come far enough. */
  readonly tooEarly: () => number;
  /** Resolves when everything that was begun is acknowledged. */
  stop(): Promise<void>;
  /** Stops whatever became of what was begun, as a test that has failed does. */
  abandon(): void;
}

interface Recorded {
  readonly eventId: string;
}

/**
 * Clients that write heartbeats and new names through one of several processes, repeat unchanged what was
 * not acknowledged through the next, and read each time through another what they have written.
 * @param apis as one user calls each process
 * @param devices one client for each: it alone changes it
 */
export function mixedLoad(apis: readonly Client[], devices: readonly string[]): MixedLoad {
  const heartbeats: string[] = [];
  const names: string[] = [];
  const stale: string[] = [];
  const wrong: string[] = [];
  let [reads, tooEarly, turn, stopped, abandoned] = [0, 0, 0, false, false];

  function nextApi(): Client {
    const api = apis[(turn += 1) % apis.length];
    if (api === undefined) throw new Error('there is no process to call');
    return api;
  }

  /** Undefined for one that did not come. */
  async function attempt<Body>(call: (api: Client) => Promise<Reply<Body>>) {
    try {
      return await call(nextApi());
    } catch {
      return undefined;
    }
  }

  /** Repeats it until it is acknowledged, with the same key. */
  function insist<Body>(write: (api: Client, key: string) => Promise<Reply<Body>>) {
    const key = randomUUID();
    return eventually(async () => {
      if (abandoned) throw new Error('the load was abandoned');
      const reply = await attempt((api) => write(api, key));
      if (reply === undefined || reply.status === 503) return undefined;
      if (reply.status !== 200) wrong.push(`${reply.status} ${reply.text}`);
      return reply;
    }, 60_000);
  }

  async function readBack(deviceId: string, position: string, name: string | undefined) {
    const path = `/api/devices/${deviceId}`;
    const reply = await attempt((api) =>
      api.get<DeviceBody | ProblemBody>(path, { 'x-consistent-with': position }),
    );
    reads += 1;
    if (reply === undefined) return;
    if (reply.status === 503) tooEarly += 1;
    else if (reply.status !== 200) wrong.push(`${reply.status} ${reply.text}`);
    else if (name !== undefined && 'name' in reply.body && reply.body.name !== name) {
      stale.push(`${reply.body.name} for ${name}`);
    }
  }

  async function client(deviceId: string): Promise<void> {
    const path = `/api/devices/${deviceId}`;
    let name: string | undefined;
    for (let round = 0; !stopped; round += 1) {
      let reply: Reply;
      if (round % 3 === 2) {
        const next = `${deviceId.slice(0, 8)} ${round}`;
        reply = await insist((api, key) =>
          api.patch(path, { name: next }, { 'idempotency-key': key }),
        );
        name = next;
        names.push(next);
      } else {
        const body = { metrics: { round } };
        const recorded = await insist<Recorded>((api, key) =>
          api.post(`${path}/heartbeat`, body, { 'idempotency-key': key }),
        );
        heartbeats.push(recorded.body.eventId);
        reply = recorded;
      }
      await readBack(deviceId, String(reply.headers['x-position']), name);
    }
  }

  const ended = Promise.all(devices.map(client));
  // Whoever stops it hears of it.
  ended.catch(() => undefined);
  return {
    acknowledged: { heartbeats, names },
    stale,
    wrong,
    reads: () => reads,
    writes: () => heartbeats.length + names.length,
    tooEarly: () => tooEarly,
    async stop() {
      stopped = true;
      await ended;
    },
    abandon() {
      stopped = true;
      abandoned = true;
    },
  };
}
