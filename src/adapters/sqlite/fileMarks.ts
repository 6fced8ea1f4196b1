import type Database from 'better-sqlite3';

/** What tells whose a database file is. All 0 for a new one. */
export interface FileMarks {
  readonly application: number;
  readonly format: number;
  readonly tables: number;
}

/**
 * Reads them in one transaction: read one after another, a file that another process is making at
 * this moment would look half like a new one and half like a foreign one.
 */
export function marks(db: Database.Database): FileMarks {
  const read = db.transaction(() => ({
    application: Number(db.pragma('application_id', { simple: true })),
    format: Number(db.pragma('user_version', { simple: true })),
    tables: db.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get() ?? 0,
  }));
  return read();
}
