import Database from 'better-sqlite3';
import { StoreUnavailable } from '../../events/eventStore.js';
import { storeFault } from './faults.js';
import { ownFormat } from './fileMarks.js';
import { placeFor } from './localDisk.js';
import { useWal } from './wal.js';

/** "Flbk" in ASCII: marks the file as a Fleetbook log (https://sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION_ID = 0x466c626b;

/**
 * Each brings the file from the format of its index to the next. Never changed once released.
 *
 * `type` stands early in the row so that a scan by type does not read payloads, which may lie on
 * overflow pages. There is no index over ids: they are random, and such an index slows every append
 * as the log grows.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE streams (
     id INTEGER PRIMARY KEY,
     name TEXT NOT NULL UNIQUE
   ) STRICT;
   CREATE TABLE events (
     position INTEGER PRIMARY KEY,
     stream INTEGER NOT NULL,
     revision INTEGER NOT NULL,
     type TEXT NOT NULL,
     id BLOB NOT NULL,
     time INTEGER NOT NULL,
     data TEXT NOT NULL,
     metadata TEXT NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX events_by_stream ON events (stream, revision);`,
];

/** The format that this program writes, kept in `PRAGMA user_version`. */
export const LOG_FORMAT = MIGRATIONS.length;

/** How long a statement waits for another process's lock, in milliseconds. */
const BUSY_TIMEOUT = 5_000;

/**
 * Makes the file if there is none, refuses what is not a log of ours, brings it to the present
 * format and looks whether its ends can be read. Takes the same time for any size of log.
 * @throws StoreUnavailable 'damaged', 'newer-format', 'unreachable' (on a network file system too), 'busy'
 */
export function prepareLogFile(file: string): void {
  try {
    placeFor(file);
    const db = new Database(file, { timeout: BUSY_TIMEOUT });
    try {
      refuseNewer(db, file);
      useWal(db);
      migrate(db);
      readEnds(db);
    } finally {
      db.close();
    }
  } catch (error) {
    throw storeFault(error, file);
  }
}

/** The writer's connection. Every commit is on the disk when it returns (`synchronous = FULL`). */
export function connectWriter(file: string): Database.Database {
  const db = new Database(file, { fileMustExist: true, timeout: BUSY_TIMEOUT });
  db.pragma('synchronous = FULL');
  db.pragma('cache_size = -8192');
  // 64 MiB of log between checkpoints: each costs two more fsyncs, and a page written often in
  // between, as those of the index over a fleet's streams are, is copied into the database once.
  db.pragma('wal_autocheckpoint = 16384');
  db.pragma('journal_size_limit = 134217728');
  return db;
}

/**
 * A connection that only reads. Not opened as `readonly`: such a connection can't recover a WAL left
 * by a killed process when it comes first.
 */
export function connectReader(file: string): Database.Database {
  const db = new Database(file, { fileMustExist: true, timeout: BUSY_TIMEOUT });
  db.pragma('query_only = ON');
  db.pragma('cache_size = -2048');
  return db;
}

function refuseNewer(db: Database.Database, file: string): void {
  const format = ownFormat(db, file, APPLICATION_ID) ?? 0;
  if (format > LOG_FORMAT) {
    throw new StoreUnavailable(
      'newer-format',
      `${file}: written in format ${format}, and this program knows formats up to ${LOG_FORMAT}`,
    );
  }
}

function migrate(db: Database.Database): void {
  const bring = db.transaction(() => {
    // Read again under the lock: another process may have come first.
    const format = Number(db.pragma('user_version', { simple: true }));
    if (format >= LOG_FORMAT) return;
    for (const step of MIGRATIONS.slice(format)) db.exec(step);
    db.pragma(`user_version = ${LOG_FORMAT}`);
    db.pragma(`application_id = ${APPLICATION_ID}`);
  });
  if (Number(db.pragma('user_version', { simple: true })) < LOG_FORMAT) bring.immediate();
}

/** A cut or overwritten file mostly shows at its ends; the rest shows when it is read. */
function readEnds(db: Database.Database): void {
  for (const direction of ['ASC', 'DESC']) {
    db.prepare(`SELECT * FROM events ORDER BY position ${direction} LIMIT 1`).get();
    db.prepare(`SELECT * FROM streams ORDER BY id ${direction} LIMIT 1`).get();
    db.prepare(
      `SELECT stream, revision FROM events ORDER BY stream ${direction}, revision ${direction} LIMIT 1`,
    ).get();
  }
}
