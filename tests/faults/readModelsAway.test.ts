import { createMemorySignals } from '../../src/adapters/memory/signals.js';
import { mongoReadModels } from '../../src/adapters/mongodb/readModels.js';
import {
  openSqliteEventLogReader,
  type EventLogReader,
} from '../../src/adapters/sqlite/eventStore.js';
import type { ReadModels } from '../../src/projections/readModels.js';
import { projections } from '../../src/projections/registry.js';
import { foldedBy, inOrderOfKeys, once } from '../projections/documents.js';
import { allOf } from '../projections/running.js';
import type { Client } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { halfOpenProxy, type HalfOpenProxy } from '../support/halfOpenProxy.js';
import { collect } from '../support/logEvents.js';
import { temporaryDatabase, type TemporaryDatabase } from '../support/mongodb.js';
import { ownMongodb, withOwnMongodb, type OwnMongodb } from '../support/mongodbServer.js';
import { logInAdmin, registerDevice, type ProblemBody } from '../support/people.js';
import { keepFigure, ms } from './figures.js';
import { fleet, type Fleet, type Member } from './fleet.js';

/** What a caller waits at most for a read that can't be answered: two answers that never come, and a search. */
const REFUSED_MS = 15_000;
/** What a command may take meanwhile. */
const COMMAND_MS = 1_000;
const LAG_MS = 30_000;

type Fault = readonly [
  name: string,
  what: string,
  begin: (server: OwnMongodb, way: HalfOpenProxy) => Promise<void> | void,
  end: (server: OwnMongodb, way: HalfOpenProxy) => Promise<void> | void,
];

const FAULTS: readonly Fault[] = [
  ['killed', 'killed (SIGKILL)', (server) => server.kill(), (server) => server.start()],
  ['frozen', 'standing still (SIGSTOP)', (server) => server.freeze(), (server) => server.thaw()],
  [
    'half-open',
    'behind a connection that swallows everything',
    (_server, way) => way.swallow(),
    (_server, way) => {
      // What was swallowed stays silent, as real connections do: nobody tells the client of it.
      way.pass();
    },
  ],
];

withOwnMongodb(() => {
  describe('a MongoDB that is', () => {
    let mongodb: OwnMongodb;
    let way: HalfOpenProxy;
    let database: TemporaryDatabase;
    let installation: Fleet;
    let api: Member;
    let admin: Client;
    let device: string;
    let log: EventLogReader;
    let reads: ReadModels;

    beforeAll(async () => {
      mongodb = await ownMongodb();
      way = await halfOpenProxy(mongodb.port);
      database = temporaryDatabase(mongodb.uri);
      installation = fleet({
        MONGODB_URI: `mongodb://127.0.0.1:${way.port}/${database.name}?directConnection=true`,
      });
      api = await installation.add('api', 'api');
      await installation.add('projections', 'projections');
      const person = await eventually(() => logInAdmin(api).catch(() => undefined));
      admin = person.api;
      device = (await registerDevice(person)).id;
      log = await openSqliteEventLogReader({
        file: `${installation.dataDir}/log.db`,
        signals: createMemorySignals(),
      });
    }, 60_000);

    afterAll(async () => {
      mongodb.thaw();
      await installation.remove();
      await log.stop();
      await way.stop();
      await database.drop();
      await mongodb.remove();
    }, 60_000);

    const rename = (name: string) => admin.patch(`/api/devices/${device}`, { name });
    const timed = async <Result>(what: () => Promise<Result>) => {
      const began = performance.now();
      return { result: await what(), took: performance.now() - began };
    };

    /** Renames without a pause until the reads are through. */
    async function commandsUntil(reading: Promise<unknown>): Promise<readonly number[]> {
      const times: number[] = [];
      const state = { ended: false };
      const over = reading.finally(() => {
        state.ended = true;
      });
      over.catch(() => undefined);
      while (!state.ended) {
        const { result, took } = await timed(() => rename(`during ${times.length}`));
        expect([result.status, result.text]).toEqual([200, expect.stringContaining(device)]);
        times.push(took);
      }
      await over;
      return times;
    }

    /** Each is answered 503, with a code and when to come again. @returns how long the slowest took */
    async function refused(): Promise<number> {
      const paths = [
        `/api/devices/${device}`,
        '/api/devices',
        `/api/devices/${device}/logs`,
        '/api/analytics/dashboard',
      ];
      const answers = await Promise.all(
        paths.map((path) => timed(() => admin.get<ProblemBody>(path))),
      );
      for (const { result } of answers) {
        expect([result.status, result.body.code]).toEqual([
          503,
          expect.stringMatching(/^(STORE_UNAVAILABLE|NOT_CONSISTENT_YET)$/),
        ]);
        expect(Number(result.headers['retry-after'])).toBeGreaterThan(0);
      }
      return Math.max(...answers.map(({ took }) => took));
    }

    it.each(FAULTS)(
      '%s lets commands go on, and reads come again',
      async (name, what, begin, end) => {
        await begin(mongodb, way);
        await rename(`${name} 0`);
        const reading = refused().then(async (first) => ({ first, then: await refused() }));
        const commands = await commandsUntil(reading);
        const { first, then } = await reading;
        await end(mongodb, way);
        const { took } = await timed(() =>
          eventually(async () => {
            const { status } = await admin.get(`/api/devices/${device}`);
            return status === 200 || undefined;
          }, LAG_MS),
        );
        reads = mongoReadModels(await database.connect({ access: 'read' }));
        const head = await log.head();
        await eventually(async () => {
          const reached = await Promise.all(projections.map((one) => reads.checkpoint(one.name)));
          return reached.every((position) => position >= head) || undefined;
        }, LAG_MS);
        const events = once(await collect(log.readAll()));
        for (const projection of projections) {
          expect(await allOf(reads, projection.collection.name)).toEqual(
            inOrderOfKeys(foldedBy(projection, events)),
          );
        }
        expect(Math.max(first, then)).toBeLessThan(REFUSED_MS);
        expect(Math.max(...commands)).toBeLessThan(COMMAND_MS);
        keepFigure(`mongodb-${name}`, {
          fault: `MongoDB ${what}`,
          criterion: `commands go on; reads are 503 with a code and Retry-After within ${ms(REFUSED_MS)}; the lag is gone within ${ms(LAG_MS)} of its return`,
          measured: `${commands.length} commands during it, all acknowledged, the slowest after ${ms(Math.max(...commands))}; reads refused after ${ms(first)} at the latest, then ${ms(then)}; read again ${ms(took)} after its return; read models equal a clean replay`,
          how: 'tests/faults/readModelsAway.test.ts: an API and a projections process; the reads are a device, a list, its logs, the dashboard',
        });
      },
      120_000,
    );
  });
});
