import { MongoClient } from 'mongodb';
import { mongoReadModelStore } from '../../src/adapters/mongodb/readModelStore.js';
import { mongoReadModels } from '../../src/adapters/mongodb/readModels.js';
import { START } from '../../src/events/envelope.js';
import { StoreUnavailable } from '../../src/events/eventStore.js';
import { COUNTING, foldSome, replayed } from '../support/counting.js';
import { temporaryDatabase, type TemporaryDatabase } from '../support/mongodb.js';
import { ownMongodb, withOwnMongodb, type OwnMongodb } from '../support/mongodbServer.js';

withOwnMongodb(() => {
  // A process that was killed in a transaction held its documents for a minute. The writes of its heir
  // failed as a whole, which was taken for documents that are there already: what was to be done about
  // those came to nothing, and was called a mistake of the program.
  describe('a document that the transaction of another holds', () => {
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

    it.each(['detect', 'never'] as const)(
      'is written later, and the store is unavailable until then (transactions: %s)',
      async (transactions) => {
        const mongo = await database.connect({ transactions, patienceMs: 500 });
        const store = mongoReadModelStore(mongo);
        const generation = await store.open('counting', 1, COUNTING);
        const checkpoint = await foldSome(store, generation, START, 7, 7);

        const other = await MongoClient.connect(server.uri);
        const session = other.startSession();
        session.startTransaction();
        for (const { name } of await other.db(database.name).listCollections().toArray()) {
          if (!name.includes('counting')) continue;
          const documents = other.db(database.name).collection(name);
          await documents.updateMany({}, { $set: { held: true } }, { session });
        }
        await expect(foldSome(store, generation, checkpoint, 20, 27)).rejects.toBeInstanceOf(
          StoreUnavailable,
        );

        await session.abortTransaction();
        await session.endSession();
        await other.close();
        await foldSome(store, generation, checkpoint, 20, 27);
        const reads = mongoReadModels(mongo);
        expect(await reads.checkpoint('counting')).toBe(27n);
        expect(await reads.count('counting', {})).toBe(replayed(27).size);
      },
      60_000,
    );
  });
});
