import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { sqliteCode } from './faults.js';

/** Who of those that share a file is still running. */
export interface Presence {
  /** Says that `holder` runs in this process, until `end` or the process's own end, however it comes. */
  show(holder: string): void;
  /** Whether `holder` has ended. */
  isGone(holder: string): boolean;
  end(): void;
}

/**
 * Each holder keeps a lock on an empty file of its own, and the kernel takes the lock away with the
 * process: that tells an end from a pause, which no clock can, and holds where process ids do not
 * (they are used again, and two containers on one volume count them each by itself). The lock is
 * SQLite's own exclusive one, since Node has none. A holder's name is used by one run of one
 * process and never again.
 */
export function presence(file: string): Presence {
  const prefix = `${file}-holder-`;
  const shown = new Map<string, Database.Database>();
  clearEnded(prefix);

  const lockOf = (holder: string) =>
    prefix + createHash('sha256').update(holder).digest('hex').slice(0, 32);

  return {
    show(holder) {
      if (!shown.has(holder)) shown.set(holder, locked(lockOf(holder)));
    },
    isGone: (holder) => !shown.has(holder) && hasEnded(lockOf(holder)),
    end() {
      for (const [holder, db] of shown) {
        db.close();
        if (hasEnded(lockOf(holder))) rmSync(lockOf(holder), { force: true });
      }
      shown.clear();
    },
  };
}

/** A connection that keeps the lock for as long as it is open. */
function locked(lock: string): Database.Database {
  const db = new Database(lock, { timeout: 0 });
  try {
    // Nothing is ever written, so there is nothing that a journal would have to undo.
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    // Another connection of this process shows the same holder.
    if (sqliteCode(error) !== 'SQLITE_BUSY') throw error;
  }
  return db;
}

function hasEnded(lock: string): boolean {
  if (!existsSync(lock)) return true;
  let db: Database.Database | undefined;
  try {
    db = new Database(lock, { timeout: 0, fileMustExist: true });
    // A shared lock, so that two who ask at once do not take each other for the holder.
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return true;
  } catch (error) {
    // In doubt it still runs: then its leases run out by themselves.
    if (sqliteCode(error) === undefined) throw error;
    return false;
  } finally {
    db?.close();
  }
}

/** A file that is newer may be one whose process has yet to lock it, in milliseconds. */
const SETTLED_MS = 60_000;

/** Locks of processes that were killed stay behind as empty files. */
function clearEnded(prefix: string): void {
  const folder = dirname(prefix);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(basename(prefix))) continue;
    const lock = join(folder, name);
    const settled = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (settled < Date.now() - SETTLED_MS && hasEnded(lock)) rmSync(lock, { force: true });
  }
}
