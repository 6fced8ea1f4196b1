import { START, type Position } from '../../events/envelope.js';
import { StoreUnavailable } from '../../events/eventStore.js';
import type { Doc, Find, Page, ReadModels } from '../../projections/readModels.js';
import { liveTables } from './liveTables.js';
import { queryLink } from './queryLink.js';
import { connectReadModelReader, readModelFault } from './readModelFile.js';

/**
 * What queries see of a read-model file; makes the file if there is none. A document by its key is
 * read here and now: that takes microseconds, less than the way to another thread. Searches and
 * counts may look at every document, so they run on a query thread, and the event loop that serves
 * requests only parses their page.
 * @throws StoreUnavailable when the file can't be opened
 */
export function sqliteReadModels(file: string): ReadModels {
  const db = connectReadModelReader(file);
  const link = queryLink(file);
  const live = liveTables(db);
  const checkpoints = db
    .prepare<[string], bigint | null>(
      `SELECT min(checkpoint) FROM shards JOIN generations USING (projection, number)
       WHERE projection = ? AND live = 1`,
    )
    .pluck()
    .safeIntegers();

  const parked = db
    .prepare<[string], number>(
      `SELECT count(*) FROM parked JOIN generations USING (projection, number)
       WHERE projection = ? AND live = 1`,
    )
    .pluck();

  const texts = db.transaction((collection: string, keys: readonly string[]) => {
    const found = new Map<string, string>();
    const table = live(collection);
    for (const key of keys) {
      const text = table?.document(key);
      if (text !== undefined) found.set(key, text);
    }
    return found;
  });

  function call<Result>(work: () => Result): Result {
    if (!db.open) throw new StoreUnavailable('stopped', 'the read models are stopped');
    try {
      return work();
    } catch (error) {
      throw readModelFault(error, file);
    }
  }

  return {
    get: async <D extends Doc>(collection: string, key: string) => {
      const text = call(() => texts(collection, [key])).get(key);
      return text === undefined ? undefined : (JSON.parse(text) as D);
    },

    getMany: async <D extends Doc>(collection: string, keys: readonly string[]) => {
      const found = call(() => texts(collection, keys));
      return new Map(Array.from(found, ([key, text]) => [key, JSON.parse(text) as D]));
    },

    find: async <D extends Doc>(collection: string, find: Find): Promise<Page<D>> => {
      const { items, nextCursor } = await link.find(collection, find);
      return { items: JSON.parse(items) as D[], nextCursor };
    },

    count: (collection, where) => link.count(collection, where),

    checkpoint: async (projection) =>
      call(() => (checkpoints.get(projection) ?? START) as Position),

    parkedCount: async (projection) => call(() => parked.get(projection) ?? 0),

    async stop() {
      db.close();
      await link.stop();
    },
  };
}
