import type Database from 'better-sqlite3';
import { StoreUnavailable } from '../../events/eventStore.js';

/**
 * The format of a file of ours; undefined for a new one.
 * @param application the id that marks files of this kind
 * @throws StoreUnavailable 'damaged' for the database of another application
 */
export function ownFormat(
  db: Database.Database,
  file: string,
  application: number,
): number | undefined {
  const found = marks(db);
  if (found.application === application) return found.format;
  if (found.application === 0 && found.format === 0 && found.tables === 0) return undefined;
  throw new StoreUnavailable('damaged', `${file}: this is the database of another application`);
}

/**
 * What tells whose a file is, read in one transaction: read one after another, a file that another process is making at
 * this moment would look half like a new one and half like a foreign one.
 */
function marks(db: Database.Database) {
  const read = db.transaction(() => ({
    application: Number(db.pragma('application_id', { simple: true })),
    format: Number(db.pragma('user_version', { simple: true })),
    tables: db.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get() ?? 0,
  }));
  return read();
}
