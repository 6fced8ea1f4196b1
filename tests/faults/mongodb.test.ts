import { MongoClient } from 'mongodb';
import { connectMongo } from '../../src/adapters/mongodb/connection.js';
import { mongoReadModelStore } from '../../src/adapters/mongodb/readModelStore.js';
import { mongoReadModels } from '../../src/adapters/mongodb/readModels.js';
import { START } from '../../src/events/envelope.js';
import { StoreUnavailable } from '../../src/events/eventStore.js';
import { COUNTING, COUNTING_KEYS, foldSome, replayed } from '../support/counting.js';
import { eventually } from '../support/eventually.js';
import { halfOpenProxy, type HalfOpenProxy } from '../support/halfOpenProxy.js';
import { temporaryDatabase, type TemporaryDatabase } from '../support/mongodb.js';
import { ownMongodb, withOwnMongodb, type OwnMongodb } from '../support/mongodbServer.js';

/** What only a server and the way to it can break: the rest is the contract. */
withOwnMongodb(() => {
  describe('MongoDB', () => {
    let server: OwnMongodb;
    let database: TemporaryDatabase;

    beforeAll(async () => {
      server = await ownMongodb();
    });
    afterAll(() => server.remove());
    beforeEach(() => {
      database = temporaryDatabase(server.uri);
    });
    afterEach(() => database.drop());

    /** Folds up to `upTo`, beginning again from what is written whenever the store fails. */
    async function foldAll(
      transactions: 'detect' | 'never',
      upTo: number,
      after: (checkpoint: bigint) => void,
      settings = {},
      failed: () => void = () => undefined,
    ): Promise<number> {
      const mongo = await database.connect({ transactions, patienceMs: 1_000, ...settings });
      const store = mongoReadModelStore(mongo);
      let faults = 0;
      let done = false;
      while (!done) {
        try {
          const generation = await store.open('counting', 1, COUNTING);
          let { checkpoint } = generation;
          while (checkpoint < upTo) {
            checkpoint = await foldSome(store, generation, checkpoint, 7, upTo);
            after(checkpoint);
          }
          done = true;
        } catch (error) {
          expect(error).toBeInstanceOf(StoreUnavailable);
          faults += 1;
          failed();
        }
      }
      return faults;
    }

    async function expectReplayed(upTo: number): Promise<void> {
      const reads = mongoReadModels(await database.connect());
      expect(new Map(await reads.getMany('counting', COUNTING_KEYS))).toEqual(
        new Map(COUNTING_KEYS.flatMap((key) => entryOf(replayed(upTo), key))),
      );
      expect(await reads.count('counting', {})).toBe(replayed(upTo).size);
      expect(await reads.checkpoint('counting')).toBe(BigInt(upTo));
    }

    describe.each(['detect', 'never'] as const)('with transactions: %s', (transactions) => {
      it('killed and started again, has lost nothing and nothing twice', async () => {
        const upTo = 500;
        const kills = [150n, 320n];
        let restarts = Promise.resolve();
        let noticed = () => {};
        const killedAndStarted = async () => {
          const failure = new Promise<void>((resolve) => (noticed = resolve));
          await server.kill();
          // One that is back before the driver loses its patience is not even missed.
          await failure;
          await server.start();
        };
        const after = (checkpoint: bigint) => {
          if (kills[0] === undefined || checkpoint < kills[0]) return;
          kills.shift();
          // Not waited for: it dies in the midst of what is folded meanwhile.
          restarts = restarts.then(killedAndStarted);
        };
        const faults = await foldAll(transactions, upTo, after, {}, () => noticed());
        noticed();
        await restarts;
        expect(faults).toBeGreaterThanOrEqual(2);
        await expectReplayed(upTo);
      }, 120_000);

      it('cut off again and again, has nothing twice, with two owners at once', async () => {
        const proxy = await halfOpenProxy(server.port);
        const uri = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
        const upTo = 300;
        let folded = 0;
        const cutNowAndThen = () => {
          folded += 1;
          if (folded % 9 === 0) setImmediate(() => proxy.cut());
        };
        await Promise.all([
          foldAll(transactions, upTo, cutNowAndThen, { uri }),
          foldAll(transactions, upTo, cutNowAndThen, { uri }),
        ]);
        await proxy.stop();
        await expectReplayed(upTo);
      }, 120_000);
    });

    describe('behind a connection that swallows everything', () => {
      let proxy: HalfOpenProxy;

      beforeEach(async () => {
        proxy = await halfOpenProxy(server.port);
      });
      afterEach(() => proxy.stop());

      it('is unavailable within its deadline, and there again afterwards', async () => {
        const uri = `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`;
        const mongo = await database.connect({ uri, patienceMs: 500 });
        const [store, reads] = [mongoReadModelStore(mongo), mongoReadModels(mongo)];
        const generation = await store.open('counting', 1, COUNTING);
        await foldSome(store, generation, START, 7, 7);
        expect(await reads.get('counting', 'k1')).toBeDefined();
        proxy.swallow();
        const began = performance.now();
        const unreachable = { name: StoreUnavailable.name, reason: 'unreachable' };
        await Promise.all([
          expect(reads.get('counting', 'k1')).rejects.toMatchObject(unreachable),
          expect(reads.find('counting', { where: {}, limit: 9 })).rejects.toMatchObject(
            unreachable,
          ),
          expect(store.leases.acquire('x', 'me', 1_000)).rejects.toMatchObject(unreachable),
          expect(foldSome(store, generation, generation.checkpoint, 7, 7)).rejects.toMatchObject(
            unreachable,
          ),
        ]);
        // Two answers that never come, and the search for a server between and after them.
        expect(performance.now() - began).toBeLessThan(5_000);
        proxy.pass();
        proxy.cut();
        const found = await eventually(() => reads.get('counting', 'k1').catch(() => undefined));
        expect(found).toMatchObject({ id: 'k1' });
      });
    });

    describe('is refused at the start', () => {
      const refusal = async (settings: Parameters<typeof connectMongo>[0]) => {
        const error = await connectMongo(settings).then(
          (mongo) => mongo.close(),
          (thrown: unknown) => thrown,
        );
        if (!(error instanceof StoreUnavailable)) throw new Error(`not refused: ${String(error)}`);
        expect(error.message).not.toMatch(/secret|\n/);
        return `${error.reason}: ${error.message}`;
      };

      it.each([
        '',
        'nonsense',
        'http://user:secret@host/',
        'mongodb://user:secret@/x',
        'mongodb://',
      ])('under the URI "%s"', async (uri) => {
        expect(await refusal({ uri })).toBe(
          'unreachable: MONGODB_URI is no URI of a MongoDB deployment',
        );
      });

      it('where nothing listens', async () => {
        const began = performance.now();
        const uri = 'mongodb://user:secret@127.0.0.1:9/somewhere';
        expect(await refusal({ uri, patienceMs: 1_000 })).toContain(
          'unreachable: MongoDB at 127.0.0.1:9, database somewhere: no answer',
        );
        expect(performance.now() - began).toBeLessThan(4_000);
      });

      it.each([
        ['a newer program', { application: 'fleetbook', format: 99 }, 'newer-format: '],
        ['another application', { application: 'x', format: 1 }, 'damaged: '],
      ])('where the database is that of %s', async (_, change, expected) => {
        const { db } = await database.connect();
        await db.collection('format').updateOne({}, { $set: change });
        expect(await refusal({ uri: server.uri, database: database.name })).toContain(expected);
      });
    });
  });

  describe('a MongoDB that asks for a password', () => {
    let server: OwnMongodb;

    beforeAll(async () => {
      server = await ownMongodb();
      const admin = await MongoClient.connect(server.uri);
      const users = [
        ['writer', { role: 'readWrite', db: 'fleetbook' }],
        ['reader', { role: 'read', db: 'fleetbook' }],
      ] as const;
      for (const [user, role] of users) {
        await admin.db('admin').command({ createUser: user, pwd: 'secret', roles: [role] });
      }
      await admin.close();
      await server.kill();
      await server.start('--auth');
    });
    afterAll(() => server.remove());

    const as = (user: string, password = 'secret') => ({
      uri: `mongodb://${user}:${password}@127.0.0.1:${server.port}/fleetbook?directConnection=true&authSource=admin`,
    });

    it('lets in who has one', async () => {
      const mongo = await connectMongo(as('writer'));
      await mongo.close();
    });

    it('refuses a wrong one, in one line without the password', async () => {
      const refused = expect(connectMongo(as('writer', 'wrong-secret'))).rejects;
      await refused.toMatchObject({
        reason: 'unreachable',
        message: expect.stringContaining('the user or its password is wrong') as string,
      });
    });

    it('refuses to write for a user that may only read, and lets it read', async () => {
      await expect(connectMongo(as('reader'))).rejects.toMatchObject({
        reason: 'unreachable',
        message: expect.stringContaining('it needs the role readWrite') as string,
      });
      const mongo = await connectMongo({ ...as('reader'), access: 'read' });
      expect(await mongoReadModels(mongo).get('counting', 'k1')).toBeUndefined();
      await mongo.close();
    });
  });

  describe('a MongoDB that stands alone', () => {
    it('is written to without transactions', async () => {
      const server = await ownMongodb('--standalone');
      const mongo = await connectMongo({ uri: server.uri });
      try {
        expect(mongo.transactions).toBe(false);
        const store = mongoReadModelStore(mongo);
        const generation = await store.open('counting', 1, COUNTING);
        await foldSome(store, generation, START, 30, 30);
        expect(await mongoReadModels(mongo).count('counting', {})).toBe(replayed(30).size);
      } finally {
        await mongo.close();
        await server.remove();
      }
    });
  });
});

function entryOf<Value>(map: ReadonlyMap<string, Value>, key: string): [string, Value][] {
  const value = map.get(key);
  return value === undefined ? [] : [[key, value]];
}
