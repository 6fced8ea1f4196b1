import type { Database } from 'better-sqlite3';
import type { Position } from '../../events/envelope.js';
import { StoreUnavailable } from '../../events/eventStore.js';
import { LeaseLost, type Lease } from '../../projections/leases.js';
import {
  WHOLE,
  type Doc,
  type Generation,
  type ProjectionBatch,
  type ReadModelStore,
  type Stored,
} from '../../projections/readModels.js';
import { documentWriter, type DocumentWriter } from './documentWriter.js';
import { generations } from './generations.js';
import { asLeases, sqliteLeases } from './leases.js';
import { parkedEvents } from './parkedEvents.js';
import { presence } from './presence.js';
import { connectReadModelWriter, readModelFault } from './readModelFile.js';
import { documentTable, type DocumentTable } from './readModelSchema.js';
import { shards } from './shards.js';

interface StoredRow {
  readonly doc: string;
  readonly position: bigint;
}

/** The documents of a generation that this connection reads and writes. */
interface Opened {
  readonly load: (key: string) => StoredRow | undefined;
  readonly documents: DocumentWriter;
}

/**
 * The side of a read-model file that writes; it works in the calling thread, so give it one of its
 * own. Each commit is one transaction: checkpoints, parked events and documents of all batches.
 *
 * A removed document leaves nothing that could guard its key. What protects it from redelivery is
 * the checkpoint: a batch that ends behind its shard's checkpoint was written before, and is
 * left out as a whole.
 * @param now by which leases run out, in milliseconds since the epoch
 * @throws StoreUnavailable when the file can't be opened
 */
export function sqliteReadModelStore(file: string, now = Date.now): ReadModelStore {
  const db = connectReadModelWriter(file);
  const holders = presence(file);
  const leases = sqliteLeases(db, holders, now);
  const progress = shards(db);
  const rows = generations(db, progress);
  const parked = parkedEvents(db);
  const opened = new Map<string, Opened>();
  /**
   * By shard: its count of commits when this store last opened it or wrote to it; undefined once
   * another wrote in between. Whoever remembers documents from before then may remember wrong
   * ones, so `before` is not believed until the shard is opened again.
   */
  const commits = new Map<string, bigint | undefined>();

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
    const counts = new Map<string, bigint | undefined>();
    for (const { generation, writes, parked: poisoned, checkpoint, lease } of batches) {
      const count = progress.move(generation, checkpoint, lease);
      if (count === undefined) {
        refuse(generation, lease);
        continue;
      }
      const id = shardId(generation);
      const known = counts.has(id) ? counts.get(id) : commits.get(id);
      const trusted = known === count - 1n;
      const { documents } = use(generation);
      for (const write of writes) documents.write(write, trusted);
      for (const event of poisoned) parked.park(generation, event);
      counts.set(id, trusted ? count : undefined);
    }
    return counts;
  });

  /** Throws why a batch is not to be written, unless that is because it was written before. */
  function refuse(generation: Generation, lease: Lease | undefined): void {
    if (lease !== undefined && !leases.isCurrent(lease)) {
      throw new LeaseLost(`${lease.name} has passed to another`);
    }
    progress.row(generation);
  }

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
    leases: asLeases(leases, call),

    open: async (projection, version, collection, shard = WHOLE) =>
      call(() => {
        const generation = rows.open(projection, version, collection, shard);
        opened.delete(`${projection}/${generation.number}`);
        commits.set(shardId(generation), progress.row(generation).commits);
        return generation;
      }),

    load: async (generation, keys) =>
      call(() => {
        progress.row(generation);
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
        for (const [id, count] of commit.immediate(batches)) commits.set(id, count);
      }),

    parkedKeys: async (generation) =>
      call(() => parked.keys(generation, progress.row(generation).checkpoint as Position)),
    parked: async (projection) => call(() => parked.list(projection)),
    activate: async (generation) => call(() => rows.activate(generation)),
    reset: async () => call(() => rows.reset()),

    async stop() {
      holders.end();
      db.close();
    },
  };
}

function shardId({ projection, number, shard }: Generation): string {
  return `${projection}/${number}/${shard.index}/${shard.of}`;
}

function prepare(db: Database, table: DocumentTable): Opened {
  const load = db
    .prepare<[string], StoredRow>(`SELECT doc, position FROM ${table.name} WHERE key = ?`)
    .safeIntegers();
  return { load: (key) => load.get(key), documents: documentWriter(db, table) };
}
