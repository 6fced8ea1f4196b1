import type { MongoSettings } from '../../src/adapters/mongodb/connection.js';
import { mongoReadModelStore } from '../../src/adapters/mongodb/readModelStore.js';
import { mongoReadModels } from '../../src/adapters/mongodb/readModels.js';
import { temporaryDatabase, withMongodb } from '../support/mongodb.js';
import { readModelsContract } from './readModels.contract.js';

/** SecantusDB (scripts/mongoForTests.mjs) writes some 300 documents a second: half a minute for the whole. */
const SIZES = { longList: Number(process.env.MONGODB_LONG_LIST ?? 2_000) };

withMongodb(() => {
  const setup = (transactions: MongoSettings['transactions']) => async () => {
    const database = temporaryDatabase();
    const mongo = await database.connect({ ...(transactions && { transactions }) });
    const opened: { stop(): Promise<void> }[] = [];
    const keep = <Side extends { stop(): Promise<void> }>(side: Side) => {
      opened.push(side);
      return side;
    };
    return {
      store: () => keep(mongoReadModelStore(mongo)),
      reads: () => keep(mongoReadModels(mongo)),
      async stop() {
        await Promise.all(opened.map((side) => side.stop()));
        await database.drop();
      },
    };
  };

  readModelsContract('in MongoDB with transactions', setup('detect'), SIZES);
  readModelsContract('in MongoDB without transactions', setup('never'), SIZES);
});
