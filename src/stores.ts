import type { MongodbConfig } from './config.js';
import type { ReadModels, ReadModelStore } from './projections/readModels.js';

/** Where the read models are kept, in a form that reaches another thread. */
export interface ReadModelPlace {
  /** The file of the embedded ones. */
  readonly file: string;
  /** Where they are kept instead, if it is given. */
  readonly mongodb?: MongodbConfig | undefined;
}

// Each adapter is loaded where it is used: a driver takes its share of a start and of the memory.

/**
 * @param access `write` where this process folds too: who may only read is refused at the start then
 * @throws StoreUnavailable in one line that says what is wrong
 */
export async function openReadModels(
  { file, mongodb }: ReadModelPlace,
  access: 'read' | 'write',
): Promise<ReadModels> {
  if (mongodb === undefined) {
    const { sqliteReadModels } = await import('./adapters/sqlite/readModels.js');
    return sqliteReadModels(file);
  }
  const { connectMongo } = await import('./adapters/mongodb/connection.js');
  const { mongoReadModels } = await import('./adapters/mongodb/readModels.js');
  const mongo = await connectMongo({ ...mongodb, access });
  return closing(mongoReadModels(mongo), () => mongo.close());
}

/** @throws StoreUnavailable as above */
export async function openReadModelStore({
  file,
  mongodb,
}: ReadModelPlace): Promise<ReadModelStore> {
  if (mongodb === undefined) {
    const { sqliteReadModelStore } = await import('./adapters/sqlite/readModelStore.js');
    return sqliteReadModelStore(file);
  }
  const { connectMongo } = await import('./adapters/mongodb/connection.js');
  const { mongoReadModelStore } = await import('./adapters/mongodb/readModelStore.js');
  const mongo = await connectMongo(mongodb);
  return closing(mongoReadModelStore(mongo), () => mongo.close());
}

/** The store, whose `stop` closes its connection too. */
function closing<Store extends { stop(): Promise<void> }>(
  store: Store,
  close: () => Promise<void>,
): Store {
  return {
    ...store,
    async stop() {
      await store.stop();
      await close();
    },
  };
}
