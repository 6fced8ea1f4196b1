import type { Db } from 'mongodb';
import { StoreUnavailable } from '../../events/eventStore.js';

/** Raised with every change to how things are kept. There are no migrations: all is folded from the log again. */
export const MONGO_FORMAT = 1;

interface FormatEntry {
  readonly _id: 'read-models';
  readonly application: string;
  readonly format: number;
}

const OURS: FormatEntry = { _id: 'read-models', application: 'fleetbook', format: MONGO_FORMAT };

/**
 * Marks an empty database as this program's, and refuses one that another or a newer program has
 * marked. Whoever wants to write finds out here whether it may.
 * @throws StoreUnavailable 'newer-format', 'damaged'
 */
export async function agreeOnFormat(
  db: Db,
  place: string,
  access: 'read' | 'write',
): Promise<void> {
  const entries = db.collection<FormatEntry>('format');
  const { _id, ...rest } = OURS;
  if (access === 'write')
    await entries.updateOne({ _id }, { $setOnInsert: rest }, { upsert: true });
  const found = (await entries.findOne({ _id })) ?? OURS;
  if (found.application !== OURS.application) {
    throw new StoreUnavailable('damaged', `${place}: this is the database of another application`);
  }
  if (found.format === MONGO_FORMAT) return;
  throw new StoreUnavailable(
    found.format > MONGO_FORMAT ? 'newer-format' : 'damaged',
    `${place}: in format ${found.format}, and this program knows format ${MONGO_FORMAT}; ` +
      'the database may be dropped while nothing runs, and is then rebuilt from the log',
  );
}
