import { toUSVString } from 'node:util';
import type { Collection, Db } from 'mongodb';
import { StoreUnavailable } from '../../events/eventStore.js';
import { LeaseLost, type Lease } from '../../projections/leases.js';
import type { ProjectionBatch, Write } from '../../projections/readModels.js';
import type { Mongo } from './connection.js';
import { documentsOf, type StoredDocument } from './documents.js';
import { toBeStored, writeDocuments } from './documentWriter.js';
import {
  definitionIn,
  entryGone,
  generationIn,
  withGeneration,
  type Entries,
  type GenerationEntry,
} from './entries.js';
import { isDuplicate } from './faults.js';
import type { LeaseEntry } from './leases.js';
import type { ParkedEvents } from './parkedEvents.js';
import { shardId, type Shards } from './shards.js';

/** More documents than that are no transaction's: one may take a minute and has to fit into the cache. */
const MOST_IN_A_TRANSACTION = 1_000;
/** How often a commit that others come between looks anew. */
const MOST_ATTEMPTS = 5;

/** A batch whose generation is there, not written yet as far as its shard's checkpoint tells. */
interface Due extends ProjectionBatch {
  readonly entry: GenerationEntry;
}

export interface CommitDeps {
  readonly mongo: Mongo;
  readonly entries: Entries;
  readonly shards: Shards;
  readonly parked: ParkedEvents;
  readonly leases: Collection<LeaseEntry>;
}

/**
 * Writes batches with their checkpoints. In one transaction where the deployment has them and the
 * batches are of its size, else in an order that makes repetition harmless: documents, what was
 * parked, and the checkpoints last. After a crash in between, the same events are folded again; what
 * they had changed is at or past its position already and stays as it is.
 *
 * The lease is looked at before, and its token stands guard at the checkpoint. A holder that loses it
 * between the two may still write documents, and they are those that the next holder writes too: a
 * fold gives one result for one position, and no document goes back.
 */
export function commits({ mongo, entries, shards, parked, leases }: CommitDeps) {
  const { db } = mongo;

  /** @throws GenerationDropped, LeaseLost */
  async function dueOf(batches: readonly ProjectionBatch[]): Promise<readonly Due[]> {
    const held = batches.flatMap(({ lease }) => (lease === undefined ? [] : [lease]));
    const [known, checkpoints] = await Promise.all([
      entries.some(batches.map(({ generation }) => generation.projection)),
      shards.checkpoints(batches.map(({ generation }) => generation)),
      refuseLost(leases, held),
    ]);
    const byName = new Map(known.map((entry) => [entry._id, entry]));
    const all = batches.map((batch) => {
      const entry = generationIn(byName.get(batch.generation.projection), batch.generation);
      return { ...batch, entry };
    });
    return all.filter(({ generation, checkpoint, entry }) => {
      const stored = checkpoints.get(shardId(generation)) ?? entry.from;
      return checkpoint >= stored;
    });
  }

  /** Notes which fields hold lists, before a query can meet one. */
  async function noteLists(due: readonly Due[], work: readonly Work[]): Promise<void> {
    for (const { entry, lists } of work) {
      const generation = due.find((batch) => batch.entry === entry)?.generation;
      if (generation === undefined || lists.length === 0) continue;
      await entries.change(generation.projection, (known) => {
        const found = generationIn(known, generation);
        const all = [...new Set([...found.lists, ...lists])];
        return withGeneration(known ?? entryGone(), { ...found, lists: all });
      });
    }
  }

  /** Whether all checkpoints were to be moved. */
  async function inOrder(due: readonly Due[], work: readonly Work[]): Promise<boolean> {
    await Promise.all(work.map(({ documents, stored }) => writeDocuments(documents, stored)));
    await parked.park(due);
    return shards.move(due);
  }

  async function atOnce(due: readonly Due[], work: readonly Work[]): Promise<boolean> {
    try {
      await mongo.inTransaction(async (session) => {
        for (const { documents, stored } of work) await writeDocuments(documents, stored, session);
        await parked.park(due, session);
        if (!(await shards.move(due, session))) throw new CameBetween();
      });
      return true;
    } catch (error) {
      if (error instanceof CameBetween) return false;
      // Some of it was written before. In order, each document's own guard decides.
      if (isDuplicate(error)) return inOrder(due, work);
      throw error;
    }
  }

  return async function commit(batches: readonly ProjectionBatch[]): Promise<void> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const due = await dueOf(batches);
      if (due.length === 0) return;
      const size = due.reduce((sum, { writes }) => sum + writes.length, 0);
      const together = mongo.transactions && size <= MOST_IN_A_TRANSACTION;
      const work = workOf(db, due);
      await noteLists(due, work);
      if (await (together ? atOnce(due, work) : inOrder(due, work))) return;
      // A checkpoint was not to be moved: what is there now tells why.
    }
    throw new StoreUnavailable('busy', `${mongo.place}: others move the same checkpoints`);
  };
}

/** Another has moved a checkpoint since it was read. */
class CameBetween extends Error {
  override readonly name = 'CameBetween';
}

async function refuseLost(entries: Collection<LeaseEntry>, held: readonly Lease[]): Promise<void> {
  if (held.length === 0) return;
  const names = held.map(({ name }) => toUSVString(name));
  const found = await entries.find({ _id: { $in: names } }).toArray();
  const tokens = new Map(found.map(({ _id, token }) => [_id, token]));
  for (const { name, token, holder } of held) {
    if (tokens.get(toUSVString(name)) === token) continue;
    throw new LeaseLost(`${holder} no longer holds ${name}`);
  }
}

interface Work {
  readonly entry: GenerationEntry;
  /** Fields that hold lists now, and that the entry doesn't know as such. */
  readonly lists: readonly string[];
  readonly documents: Collection<StoredDocument>;
  readonly stored: readonly StoredDocument[];
}

/** What goes into each collection. All of it is made before any is written: a document may be no JSON. */
function workOf(db: Db, due: readonly Due[]): readonly Work[] {
  const groups = new Map<string, { readonly entry: GenerationEntry; readonly writes: Write[] }>();
  for (const { entry, writes } of due) {
    if (writes.length === 0) continue;
    const id = `${entry.collection}/${entry.number}`;
    const known = groups.get(id)?.writes ?? [];
    groups.set(id, { entry, writes: [...known, ...writes] });
  }
  return Array.from(groups.values(), ({ entry, writes }) => {
    const definition = definitionIn(entry);
    const stored = toBeStored(definition, writes);
    const lists = [...definition.lists].filter(
      (field) =>
        !entry.lists.includes(field) && stored.some(({ by }) => Array.isArray(by?.[field])),
    );
    return { entry, lists, stored, documents: documentsOf(db, entry) };
  });
}
