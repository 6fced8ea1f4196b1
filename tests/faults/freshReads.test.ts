import type { Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { temporaryDatabase } from '../support/mongodb.js';
import { ownMongodb, withOwnMongodb, type OwnMongodb } from '../support/mongodbServer.js';
import { logInAdmin, registerDevice, type DeviceBody } from '../support/people.js';
import { ownRedis, withOwnRedis, type OwnRedis } from '../support/redis.js';
import { keepFigure, ms, quantile } from './figures.js';
import { fleet, type Fleet } from './fleet.js';

const ROUNDS = 300;
const DEVICES = 50;
const REQUESTS = 2_000;
const CLIENTS = 4;
const FRESH_MS = 100;
const HIT_RATE = 0.85;

/** Two API processes and one that folds. */
interface Installation {
  readonly here: Client;
  readonly there: Client;
  readonly devices: readonly string[];
  remove(): Promise<void>;
}

async function start(env: Readonly<Record<string, string>>): Promise<Installation> {
  const processes: Fleet = fleet(env);
  const here = await processes.add('here', 'api');
  const there = await processes.add('there', 'api');
  await processes.add('projections', 'projections');
  const admin = await eventually(() => logInAdmin(here).catch(() => undefined));
  const devices: string[] = [];
  while (devices.length < DEVICES) devices.push((await registerDevice(admin)).id);
  const clients = { here: admin.api, there: there.client.as(admin.accessToken) };
  // The other one has seen the login as soon as it lets its holder read.
  await eventually(async () => {
    const { status } = await clients.there.get(`/api/devices/${devices[0] ?? ''}`);
    return status === 200 || undefined;
  });
  return { ...clients, devices, remove: () => processes.remove() };
}

/** Writes in one process and reads in the other what was written, again and again. */
async function farReads({ here, there, devices }: Installation) {
  const [fromSent, fromAcknowledged]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const path = `/api/devices/${devices[round % devices.length] ?? ''}`;
    const sent = performance.now();
    const written = await here.patch(path, { name: `far ${round}` });
    const acknowledged = performance.now();
    const read = await there.get<DeviceBody>(path, {
      'x-consistent-with': String(written.headers['x-position']),
    });
    const now = performance.now();
    expect([written.status, read.status, read.body.name]).toEqual([200, 200, `far ${round}`]);
    fromSent.push(now - sent);
    fromAcknowledged.push(now - acknowledged);
  }
  return { fromSent, fromAcknowledged };
}

/**
 * Clients that read devices and rename one in ten requests. No answer may be older than what was
 * acknowledged when it was asked for.
 * @param apis called in turn
 * @param says whether clients send X-Consistent-With
 */
async function mixed(apis: readonly Client[], devices: readonly string[], says: boolean) {
  const versions = new Map(devices.map((id) => [id, 0]));
  let [asked, hits, reads, stale, position] = [0, 0, 0, 0, 0n];
  // A device starts with a version that its name tells, and each process with what all of them read.
  for (const id of devices) await rename(id);
  for (const one of apis) for (const id of devices) await one.get(`/api/devices/${id}`);
  asked = 0;

  async function rename(id: string): Promise<void> {
    const next = (versions.get(id) ?? 0) + 1;
    const reply = await api().patch(`/api/devices/${id}`, { name: `version ${next}` });
    expect(reply.status).toBe(200);
    versions.set(id, next);
    const at = BigInt(String(reply.headers['x-position']));
    if (at > position) position = at;
  }

  function api(): Client {
    const one = apis[(asked += 1) % apis.length];
    if (one === undefined) throw new Error('there is no process to call');
    return one;
  }

  async function client(number: number): Promise<void> {
    // Each changes devices of its own, and reads those of all.
    const own = devices.filter((_, index) => index % CLIENTS === number);
    for (let turn = 0; turn < REQUESTS / CLIENTS; turn += 1) {
      if (turn % 10 === 9) {
        await rename(own[turn % own.length] ?? '');
        continue;
      }
      const id = devices[(turn * 7 + number * 13) % devices.length] ?? '';
      const least = versions.get(id) ?? 0;
      const headers = says ? { 'x-consistent-with': position.toString() } : {};
      const reply = await api().get<DeviceBody>(`/api/devices/${id}`, headers);
      expect(reply.status).toBe(200);
      reads += 1;
      if (String(reply.headers['x-cache']).toLowerCase() === 'hit') hits += 1;
      if (Number(reply.body.name.replace('version ', '')) < least) stale += 1;
    }
  }

  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  return { reads, stale, rate: hits / reads };
}

const percent = (part: number) => `${(part * 100).toFixed(1)}%`;

withOwnRedis(() => {
  describe('a write in one process', () => {
    let redis: OwnRedis;
    let installation: Installation;

    beforeAll(async () => {
      redis = await ownRedis();
      installation = await start({ REDIS_URL: redis.url });
    }, 60_000);
    afterAll(async () => {
      await installation.remove();
      await redis.kill();
    }, 60_000);

    it('is read in another at once', async () => {
      await expectFresh(installation, 'embedded');
    }, 60_000);

    it('is read by its writer, in either process and from a cache', async () => {
      const { here, there, devices } = installation;
      const far = await mixed([here, there], devices, true);
      const near = await mixed([here], devices, false);
      expect([far.stale, near.stale]).toEqual([0, 0]);
      expect(far.rate).toBeGreaterThan(HIT_RATE);
      expect(near.rate).toBeGreaterThan(HIT_RATE);
      keepFigure('own-writes', {
        fault: 'a writer reads what it has just written, through a cache',
        criterion: 'never stale; hit rate > 85% with one write in ten requests',
        measured: `two processes and X-Consistent-With: ${far.stale} stale of ${far.reads}, ${percent(far.rate)} hits; one process without it: ${near.stale} stale of ${near.reads}, ${percent(near.rate)} hits`,
        how: `tests/faults/freshReads.test.ts: ${CLIENTS} clients, ${DEVICES} devices, ${REQUESTS} requests; two API processes and one that folds, embedded read models, Redis`,
      });
    }, 60_000);
  });

  withOwnMongodb(() => {
    describe('a write in one process, with read models in MongoDB,', () => {
      let redis: OwnRedis;
      let mongodb: OwnMongodb;
      let installation: Installation;

      beforeAll(async () => {
        redis = await ownRedis();
        mongodb = await ownMongodb();
        const { name } = temporaryDatabase(mongodb.uri);
        installation = await start({
          REDIS_URL: redis.url,
          MONGODB_URI: `mongodb://127.0.0.1:${mongodb.port}/${name}?directConnection=true`,
        });
      }, 60_000);
      afterAll(async () => {
        await installation.remove();
        await mongodb.remove();
        await redis.kill();
      }, 60_000);

      it('is read in another at once', async () => {
        await expectFresh(installation, 'mongodb');
      }, 60_000);
    });
  });
});

/** Takes the times down; how long they may be is the table's to say, since a machine may be busy. */
async function expectFresh(installation: Installation, where: 'embedded' | 'mongodb') {
  const { fromSent, fromAcknowledged } = await farReads(installation);
  const [half, most] = [0.5, 0.99].map((part) => quantile(fromAcknowledged, part));
  const verdict = (most ?? Infinity) < FRESH_MS ? 'kept' : 'not kept here';
  keepFigure(`fresh-read-${where}`, {
    fault: `a write in one process is read in another (${where} read models, Redis)`,
    criterion: `p99 < ${FRESH_MS} ms from the acknowledgement to the fresh answer`,
    measured: `${verdict}: median ${ms(half ?? NaN)}, p99 ${ms(most ?? NaN)}; with the write itself median ${ms(quantile(fromSent, 0.5))}, p99 ${ms(quantile(fromSent, 0.99))}`,
    how: `tests/faults/freshReads.test.ts: ${ROUNDS} renames through one API process, each read at once through another with X-Consistent-With; a third process folds`,
  });
  expect(fromAcknowledged).toHaveLength(ROUNDS);
}
