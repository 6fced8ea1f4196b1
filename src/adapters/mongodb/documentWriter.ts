import type { AnyBulkWriteOperation, ClientSession, Collection } from 'mongodb';
import type { Write } from '../../projections/readModels.js';
import type { Definition } from '../documents/definition.js';
import { toStored, type StoredDocument } from './documents.js';
import { duplicatesOf } from './faults.js';

/** So many go in one message, and are waited for together. */
const CHUNK = 500;

/**
 * Writes documents, each guarded by its own position: what is at or past it stays as it is. In a
 * transaction a guard that holds ends it all with a duplicate key; without one it is passed over.
 */
export async function writeDocuments(
  documents: Collection<StoredDocument>,
  stored: readonly StoredDocument[],
  session?: ClientSession,
): Promise<void> {
  for (let from = 0; from < stored.length; from += CHUNK) {
    const chunk = stored.slice(from, from + CHUNK);
    if (session === undefined) await writeChunk(documents, chunk);
    else await documents.bulkWrite(chunk.map(upsert), { session });
  }
}

/**
 * What writes leave behind. Unordered, the server may take two writes to one document in any order:
 * only the last one goes there.
 */
export function toBeStored(
  definition: Definition,
  writes: readonly Write[],
): readonly StoredDocument[] {
  const byKey = new Map<string, StoredDocument>();
  for (const write of writes) {
    const each = toStored(definition, write);
    const other = byKey.get(each._id);
    if (other === undefined || other.position < each.position) byKey.set(each._id, each);
  }
  return [...byKey.values()];
}

async function writeChunk(
  documents: Collection<StoredDocument>,
  chunk: readonly StoredDocument[],
): Promise<void> {
  try {
    await documents.bulkWrite(chunk.map(upsert), { ordered: false });
  } catch (error) {
    const refused = new Set(duplicatesOf(error));
    // A duplicate key says that there is a document, and not that it is at or past this position:
    // another may have inserted an older one at this very moment. It can't go away again, since what
    // is removed leaves its position behind, so without an upsert the guard alone decides now.
    const again = chunk.filter((_, index) => refused.has(index));
    await documents.bulkWrite(again.map(replace), { ordered: false });
  }
}

function replace(stored: StoredDocument): AnyBulkWriteOperation<StoredDocument> {
  const { _id, ...replacement } = stored;
  const filter = { _id, position: { $lt: stored.position } };
  return { replaceOne: { filter, replacement } };
}

function upsert(stored: StoredDocument): AnyBulkWriteOperation<StoredDocument> {
  const { _id, ...replacement } = stored;
  const filter = { _id, position: { $lt: stored.position } };
  return { replaceOne: { filter, replacement, upsert: true } };
}
