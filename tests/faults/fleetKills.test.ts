import { openSqliteEventLogReader } from '../../src/adapters/sqlite/eventStore.js';
import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { mongoReadModelStore } from '../../src/adapters/mongodb/readModelStore.js';
import { mongoReadModels } from '../../src/adapters/mongodb/readModels.js';
import type { RecordedEvent } from '../../src/events/envelope.js';
import type { ReadModels, ReadModelStore } from '../../src/projections/readModels.js';
import { projections } from '../../src/projections/registry.js';
import { foldedBy, inOrderOfKeys, once } from '../projections/documents.js';
import { allOf } from '../projections/running.js';
import { eventually } from '../support/eventually.js';
import { collect } from '../support/logEvents.js';
import { temporaryDatabase, type TemporaryDatabase } from '../support/mongodb.js';
import { ownMongodb, withOwnMongodb, type OwnMongodb } from '../support/mongodbServer.js';
import { logInAdmin, registerDevice } from '../support/people.js';
import { ownRedis, withOwnRedis, type OwnRedis } from '../support/redis.js';
import { keepFigure, ms, quantile } from './figures.js';
import { fleet, type Fleet, type Member } from './fleet.js';
import { mixedLoad, type MixedLoad } from './mixedLoad.js';

/** `npm run reliability` asks for 20. */
const SEEDS = Number(process.env.FAULT_SEEDS ?? 4);
const SHARDS = 2;
const DEVICES = 4;
const TAKEN_OVER_MS = 10_000;

withOwnRedis(() =>
  withOwnMongodb(() => {
    describe('two API and two projection processes on MongoDB and Redis', () => {
      let redis: OwnRedis;
      let mongodb: OwnMongodb;
      let database: TemporaryDatabase;
      let installation: Fleet;
      let members: readonly [api: Member, api: Member, folds: Member, folds: Member];
      let log: Awaited<ReturnType<typeof openSqliteEventLogReader>>;
      let reads: ReadModels;
      let store: ReadModelStore;
      let load: MixedLoad;

      beforeAll(async () => {
        redis = await ownRedis();
        mongodb = await ownMongodb();
        database = temporaryDatabase(mongodb.uri);
        installation = fleet({
          MONGODB_URI: `mongodb://127.0.0.1:${mongodb.port}/${database.name}?directConnection=true`,
          REDIS_URL: redis.url,
          PROJECTION_SHARDS: String(SHARDS),
          LOG_LEVEL: 'info',
        });
        members = [
          await installation.add('the first API', 'api'),
          await installation.add('the second API', 'api'),
          await installation.add('the first projections', 'projections'),
          await installation.add('the second projections', 'projections'),
        ];
        log = await openSqliteEventLogReader({
          file: `${installation.dataDir}/log.db`,
          signals: createMemorySignals(),
        });
        reads = mongoReadModels(await database.connect({ access: 'read' }));
        store = mongoReadModelStore(await database.connect());
      }, 60_000);

      afterAll(async () => {
        load.abandon();
        await installation.remove();
        await log.stop();
        await database.drop();
        await mongodb.remove();
        await redis.kill();
      }, 60_000);

      /** Resolves when both projection processes fold, and all shares have an owner. */
      const bothFold = () =>
        eventually(async () => {
          const leases = await store.leases.held('fold:');
          const owners = new Set(leases.map(({ holder }) => holder));
          return leases.length === SHARDS * projections.length && owners.size === 2
            ? true
            : undefined;
        }, 30_000);

      const writesMore = (count: number) => {
        const from = load.writes();
        return eventually(() => load.writes() >= from + count || undefined, 30_000);
      };

      /** Resolves when every share has been folded up to what the log holds now. */
      async function foldedToHere(): Promise<void> {
        const head = await log.head();
        // One after the other: asked all the time, the server would have no time for the work itself.
        for (const { name } of projections) {
          await eventually(async () => (await reads.checkpoint(name)) >= head || undefined, 30_000);
        }
      }

      it(`lose nothing when any one is killed, and its work goes on elsewhere: ${SEEDS} seeds`, async () => {
        const admin = await eventually(() => logInAdmin(members[0]).catch(() => undefined));
        const devices: string[] = [];
        while (devices.length < DEVICES) devices.push((await registerDevice(admin)).id);
        load = mixedLoad(
          [members[0], members[1]].map(({ client }) => client.as(admin.accessToken)),
          devices,
        );
        const random = chance(20_260_301);
        const took = { api: [] as number[], projections: [] as number[] };
        for (let seed = 1; seed <= SEEDS; seed += 1) {
          await bothFold();
          await writesMore(random(20));
          // Every second time one that folds: what a kill of the others costs is soon told.
          const victim = members[(seed % 2) * 2 + random(2)] ?? members[2];
          const killed = performance.now();
          await victim.kill();
          await writesMore(1);
          if (victim.roles === 'projections') await foldedToHere();
          took[victim.roles === 'api' ? 'api' : 'projections'].push(performance.now() - killed);
          await victim.start();
        }
        await load.stop();
        await foldedToHere();

        const events = await collect(log.readAll());
        expectAllThere(events, load);
        expectGapless(events);
        expect(load.wrong).toEqual([]);
        expect(load.stale).toEqual([]);
        let documents = 0;
        for (const projection of projections) {
          const kept = await allOf(reads, projection.collection.name);
          expect(kept).toEqual(inOrderOfKeys(foldedBy(projection, once(events))));
          documents += kept.length;
        }
        expect(Math.max(...took.projections)).toBeLessThan(TAKEN_OVER_MS);
        expect(Math.max(...took.api)).toBeLessThan(TAKEN_OVER_MS);
        keepFigure('fleet-kill', {
          fault:
            '`kill -9` of any one of two API and two projection processes (MongoDB, Redis, one shared log)',
          criterion:
            'nothing acknowledged is lost or counted twice; taken over within 10 s; read models equal a clean replay',
          measured: `${SEEDS} kills, ${load.writes()} acknowledged writes: 0 lost, 0 twice, 0 stale of ${load.reads()} reads (${load.tooEarly()} were told to come again); projections taken over after ${ms(quantile(took.projections, 0.5))} (median), ${ms(Math.max(...took.projections))} (worst); an API’s clients went on after ${ms(Math.max(...took.api))} at the latest; ${documents} of ${documents} documents equal`,
          how: 'tests/faults/fleetKills.test.ts: clients write through one API and read back through the other with X-Consistent-With, repeating under the same key what was not acknowledged; from the kill until every share is folded past the next write',
        });
      }, 400_000);
    });
  }),
);

/** All that a client was told is done is in the log, once, and nothing beside it. */
function expectAllThere(events: readonly RecordedEvent[], { acknowledged }: MixedLoad): void {
  const ids = events.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const heartbeats = events.filter(({ type }) => type === 'HeartbeatRecorded');
  expect(heartbeats.map(({ id }) => id).sort()).toEqual([...acknowledged.heartbeats].sort());
  const names = events
    .filter(({ type }) => type === 'DeviceDetailsChanged')
    .map(({ data }) => String((data as { name?: unknown }).name));
  expect(names.sort()).toEqual([...acknowledged.names].sort());
}

function expectGapless(events: readonly RecordedEvent[]): void {
  const next = new Map<string, number>();
  for (const { stream, revision } of events) {
    expect([stream, revision]).toEqual([stream, next.get(stream) ?? 0]);
    next.set(stream, revision + 1);
  }
}

/** Numbers below a limit, the same ones from the same seed (a linear congruential generator). */
function chance(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
