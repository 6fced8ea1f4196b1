import type { Database } from 'better-sqlite3';
import type { Position } from '../../events/envelope.js';
import { StoreUnavailable } from '../../events/eventStore.js';
import {
  type Doc,
  type Generation,
  type ProjectionBatch,
  type ReadModelStore,
  type Stored,
} from '../../projections/readModels.js';
import { documentWriter, type DocumentWriter } from './documentWriter.js';
import { generations, toGeneration } from './generations.js';
import { parkedEvents } from './parkedEvents.js';
import { connectReadModelWriter, readModelFault } from './readModelFile.js';
import { documentTable, type DocumentTable } from './readModelSchema.js';

interface StoredRow {
  readonly doc: string;
  readonly position: bigint;
}

/** A generation that this connection reads and writes. */
interface Opened {
  readonly load: (key: string) => StoredRow | undefined;
  readonly documents: DocumentWriter;
  /**
   * The generation's count of commits when this store last opened it or wrote to it; undefined once
   * another wrote in between. Whoever remembers documents from before then may remember wrong
   * ones, so `before` is not believed until the generation is opened again.
   */
  commits: bigint | undefined;
}

/**
 * The side of a read-model file that writes; it works in the calling thread, so give it one of its
 * own. Each commit is one transaction: checkpoints, parked events and documents of all batches.
 *
 * A removed document leaves nothing that could guard its key. What protects it from redelivery is
 * the checkpoint: a batch that ends behind its generation's checkpoint was written before, and is
 * left out as a whole.
 * @throws StoreUnavailable when the file can't be opened
 */
export function sqliteReadModelStore(file: string): ReadModelStore {
  const db = connectReadModelWriter(file);
  const rows = generations(db);
  const parked = parkedEvents(db);
  const opened = new Map<string, Opened>();

  function use(generation: Generation): Opened {
    const id = `${generation.projection}/${generation.number}`;
    let open = opened.get(id);
    if (open === undefined) {
      open = prepare(db, documentTable(rows.row(generation)));
      opened.set(id, open);
    }
    return open;
  }

  const commit = db.transaction((batches: readonly ProjectionBatch[]) => {
    const counts = new Map<Opened, bigint | undefined>();
    for (const { generation, writes, parked: poisoned, checkpoint } of batches) {
      const row = rows.row(generation);
      if (checkpoint < row.checkpoint) continue;
      const open = use(generation);
      const trusted = (counts.has(open) ? counts.get(open) : open.commits) === row.commits;
      for (const write of writes) open.documents.write(write, trusted);
      for (const event of poisoned) parked.park(generation, event);
      rows.move(generation, checkpoint);
      counts.set(open, trusted ? row.commits + 1n : undefined);
    }
    return counts;
  });

  /** Runs one call to its end in this turn; what the file does wrong is thrown as the port says it. */
  function call<Result>(work: () => Result): Result {
    if (!db.open) throw new StoreUnavailable('stopped', 'the read-model store is stopped');
    try {
      return work();
    } catch (error) {
      throw readModelFault(error, file);
    }
  }

  return {
    open: async (projection, version, collection) =>
      call(() => {
        const row = rows.open(projection, version, collection);
        const generation = toGeneration(row);
        opened.delete(`${projection}/${generation.number}`);
        use(generation).commits = row.commits;
        return generation;
      }),

    load: async (generation, keys) =>
      call(() => {
        rows.row(generation);
        const { load } = use(generation);
        const found = new Map<string, Stored>();
        for (const key of keys) {
          const row = load(key);
          if (row === undefined) continue;
          found.set(key, {
            doc: JSON.parse(row.doc) as Doc,
            position: row.position as Position,
          });
        }
        return found;
      }),

    commit: async (batches) =>
      call(() => {
        // Only after it has succeeded: a commit that was rolled back counts for nothing.
        for (const [open, commits] of commit.immediate(batches)) open.commits = commits;
      }),

    parkedKeys: async (generation) => call(() => parked.keys(generation)),
    parked: async (projection) => call(() => parked.list(projection)),
    activate: async (generation) => call(() => rows.activate(generation)),
    reset: async () => call(() => rows.reset()),

    async stop() {
      db.close();
    },
  };
}

function prepare(db: Database, table: DocumentTable): Opened {
  const load = db
    .prepare<[string], StoredRow>(`SELECT doc, position FROM ${table.name} WHERE key = ?`)
    .safeIntegers();
  return {
    load: (key) => load.get(key),
    documents: documentWriter(db, table),
    commits: undefined,
  };
}
