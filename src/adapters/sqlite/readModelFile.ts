import Database from 'better-sqlite3';
import { StoreUnavailable } from '../../events/eventStore.js';
import { sqliteCode, storeFault } from './faults.js';
import { ownFormat } from './fileMarks.js';
import { placeFor } from './localDisk.js';
import { useWal } from './wal.js';

/** "Flrm" in ASCII: marks the file as Fleetbook's read models (https://sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION_ID = 0x466c726d;

/**
 * Raised with every change to the tables below or to how documents' tables are made. There are no
 * migrations: a file of an older format is emptied by who opens it first, and folded from the log again.
 */
export const READ_MODEL_FORMAT = 2;
const OLDEST_FORMAT = 1;

/**
 * What is kept beside the documents, which have tables of their own (readModelSchema.ts). `commits`
 * counts what was written to a shard, so that a writer notices that it was not alone.
 */
const BOOKKEEPING = `
  CREATE TABLE generations (
    projection TEXT NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    collection TEXT NOT NULL,
    indexes TEXT NOT NULL,
    live INTEGER NOT NULL,
    PRIMARY KEY (projection, number)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX live_projections ON generations (projection) WHERE live = 1;
  CREATE UNIQUE INDEX live_collections ON generations (collection) WHERE live = 1;
  CREATE TABLE shards (
    projection TEXT NOT NULL,
    number INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    shards INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    checkpoint INTEGER NOT NULL,
    commits INTEGER NOT NULL,
    PRIMARY KEY (projection, number, shard)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    token INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE parked (
    projection TEXT NOT NULL,
    number INTEGER NOT NULL,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    error TEXT NOT NULL,
    parked_at INTEGER NOT NULL,
    PRIMARY KEY (projection, number, key, position)
  ) STRICT, WITHOUT ROWID;`;

/** How long a statement waits for another connection's lock, in milliseconds. */
const WRITER_PATIENCE = 5_000;
/** Readers meet a lock only while a WAL is recovered, and some of them wait on the event loop. */
const READER_PATIENCE = 1_000;

/**
 * The connection that writes. The file can be folded from the log again, so a commit need not wait
 * for the disk (`synchronous = NORMAL`): after a power cut the last commits may be missing, each
 * with its checkpoint, and are folded anew. The file is whole all the same, which OFF would risk.
 */
export function connectReadModelWriter(file: string): Database.Database {
  const db = connect(file, WRITER_PATIENCE);
  db.pragma('synchronous = NORMAL');
  // A fleet's documents are written again and again: the more commits lie between two checkpoints
  // of the WAL, the more often a page is written once for many. 64 MiB.
  db.pragma('wal_autocheckpoint = 16384');
  db.pragma('journal_size_limit = 134217728');
  db.pragma('cache_size = -16384');
  return db;
}

/**
 * A connection that only reads. Not opened as `readonly`: such a connection can neither make the
 * file when the process of the queries starts first nor recover the WAL of a killed writer.
 */
export function connectReadModelReader(file: string): Database.Database {
  const db = connect(file, READER_PATIENCE);
  db.pragma('query_only = ON');
  db.pragma('cache_size = -6144');
  return db;
}

/** @throws StoreUnavailable 'damaged', 'newer-format', 'unreachable', 'busy' */
function connect(file: string, timeout: number): Database.Database {
  let db: Database.Database | undefined;
  try {
    placeFor(file);
    db = new Database(file, { timeout });
    refuseUnknown(db, file);
    useWal(db);
    makeBookkeeping(db);
    return db;
  } catch (error) {
    db?.close();
    throw readModelFault(error, file);
  }
}

function refuseUnknown(db: Database.Database, file: string): void {
  const format = ownFormat(db, file, APPLICATION_ID);
  if (format === undefined) return;
  if (format >= OLDEST_FORMAT && format <= READ_MODEL_FORMAT) return;
  throw new StoreUnavailable(
    format > READ_MODEL_FORMAT ? 'newer-format' : 'damaged',
    `${file}: in format ${format}, and this program knows format ${READ_MODEL_FORMAT}; ${REBUILT}`,
  );
}

function makeBookkeeping(db: Database.Database): void {
  if (formatOf(db) === READ_MODEL_FORMAT) return;
  const make = db.transaction(() => {
    // Read again under the lock: another connection may have come first.
    if (formatOf(db) === READ_MODEL_FORMAT) return;
    dropAll(db);
    db.exec(BOOKKEEPING);
    db.pragma(`user_version = ${READ_MODEL_FORMAT}`);
    db.pragma(`application_id = ${APPLICATION_ID}`);
  });
  make.immediate();
}

/** Removes what an older format left. */
function dropAll(db: Database.Database): void {
  const tables = db
    .prepare<[], string>(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'`,
    )
    .pluck();
  for (const table of tables.all()) db.exec(`DROP TABLE "${table.replaceAll('"', '""')}"`);
}

function formatOf(db: Database.Database): number {
  return Number(db.pragma('user_version', { simple: true }));
}

const REBUILT = 'it may be deleted while nothing runs, and is then rebuilt from the log';

/** SQLite's codes for what is wrong with a statement or its values: mistakes of this program. */
const MISTAKES = ['SQLITE_ERROR', 'SQLITE_CONSTRAINT', 'SQLITE_RANGE', 'SQLITE_MISUSE'];

/** What a caller is told: a StoreUnavailable where the file is at fault, else the error itself. */
export function readModelFault(error: unknown, file: string): unknown {
  const code = sqliteCode(error);
  if (code?.startsWith('SQLITE_') !== true) return error;
  if (MISTAKES.some((mistake) => code.startsWith(mistake))) return error;
  const fault = storeFault(error, file);
  if (fault.reason !== 'damaged') return fault;
  return new StoreUnavailable('damaged', `${fault.message}; ${REBUILT}`, { cause: error });
}
