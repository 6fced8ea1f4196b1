import { toUSVString } from 'node:util';
import type { ReadModelStore, Stored } from '../../projections/readModels.js';
import { calls } from './calls.js';
import { commits } from './commits.js';
import type { Mongo } from './connection.js';
import { documentsOf, fromStored, positionOf } from './documents.js';
import { generationIn, liveOf, projectionEntries } from './entries.js';
import { generations } from './generations.js';
import { leaseEntries, mongoLeases } from './leases.js';
import { parkedEvents } from './parkedEvents.js';
import { shardEntries } from './shards.js';

/**
 * The side of the read models in MongoDB that writes. Several processes may: what they change is
 * guarded document by document.
 * @param mongo closed by whoever opened it, once this is stopped
 * @param clock by which leases run out, in place of the server's: for tests
 */
export function mongoReadModelStore(mongo: Mongo, clock?: () => number): ReadModelStore {
  const { db } = mongo;
  const entries = projectionEntries(db);
  const shards = shardEntries(db);
  const parked = parkedEvents(db);
  const all = generations(db, entries, shards, parked);
  const commit = commits({ mongo, entries, shards, parked, leases: leaseEntries(mongo) });
  const leases = mongoLeases(mongo, clock);
  const call = calls(mongo, 'the read-model store is stopped');

  return {
    leases: {
      acquire: (name, holder, ttlMs) => call(() => leases.acquire(name, holder, ttlMs)),
      release: (lease) => call(() => leases.release(lease)),
      held: (prefix) => call(() => leases.held(prefix)),
    },

    open: (projection, version, collection, shard) =>
      call(() => all.open(projection, version, collection, shard)),

    load: (generation, keys) =>
      call(async () => {
        const entry = generationIn(await entries.get(generation.projection), generation);
        const ids = [...new Set(keys.map((key) => toUSVString(key)))];
        const documents = await documentsOf(db, entry)
          .find(
            { _id: { $in: ids }, live: true },
            { projection: { position: 1, doc: 1 }, batchSize: keys.length + 1 },
          )
          .toArray();
        const byId = new Map(documents.map((stored) => [stored._id, stored]));
        const found = new Map<string, Stored>();
        for (const key of keys) {
          const stored = byId.get(toUSVString(key));
          const doc = stored && fromStored(stored);
          if (stored && doc) found.set(key, { doc, position: positionOf(stored) });
        }
        return found;
      }),

    commit: (batches) => call(() => commit(batches)),

    parkedKeys: (generation) =>
      call(async () => {
        const { projection, number } = generation;
        const entry = generationIn(await entries.get(projection), generation);
        // A shard that is not there yet has to fold what lies before a parked event.
        return parked.keys(projection, number, await shards.at(generation, entry));
      }),

    parked: (projection) =>
      call(async () => {
        const entry = await entries.get(projection);
        return entry === undefined ? [] : parked.list(projection, liveOf(entry).number);
      }),

    activate: (generation) => call(() => all.activate(generation)),
    reset: () => call(() => all.reset()),

    async stop() {
      call.stop();
    },
  };
}
