import type Database from 'better-sqlite3';
import { sqliteCode } from './faults.js';

/** Milliseconds: how long a writer tries to get its turn before it gives up. */
const PATIENCE = 10_000;
/** Milliseconds between two tries, and how long a writer stands back for another process. */
const PAUSE = 1;
/** Milliseconds for which a process that has written counts as still writing. */
const COMPANY = 1_000;

/**
 * Begins a transaction that may write. Answers whether another connection has committed since the
 * last turn, so that nothing remembered of the log holds any more.
 * @throws SqliteError SQLITE_BUSY when there was no turn for 10 s.
 */
export type BeginTurn = () => boolean;

/**
 * Writers of two processes take turns. SQLite's lock has no queue and its busy handler sleeps up to
 * 100 ms between two tries, so that a busy writer would starve the other: each tries every
 * millisecond here, and one that has seen the other lately stands back for a moment before its turn.
 */
export function takingTurns(db: Database.Database): BeginTurn {
  const beginImmediate = db.prepare('BEGIN IMMEDIATE');
  const dataVersion = db.prepare<[], number>('PRAGMA data_version').pluck();
  let seen = dataVersion.get();
  let othersWroteAt = -Infinity;
  db.pragma('busy_timeout = 0');

  return () => {
    const started = performance.now();
    if (started - othersWroteAt < COMPANY) pause();
    while (!begun()) {
      if (performance.now() - started > PATIENCE) beginImmediate.run();
      else pause();
    }
    const version = dataVersion.get();
    if (version === seen) return false;
    seen = version;
    othersWroteAt = performance.now();
    return true;
  };

  function begun(): boolean {
    if (db.inTransaction) return true;
    try {
      beginImmediate.run();
      return true;
    } catch (error) {
      if (sqliteCode(error)?.startsWith('SQLITE_BUSY') === true) return false;
      throw error;
    }
  }
}

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread for a millisecond: it is the writer's own, or it is only starting. */
export function pause(): void {
  Atomics.wait(nobody, 0, 0, PAUSE);
}
