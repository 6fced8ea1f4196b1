import type Database from 'better-sqlite3';
import { sqliteCode } from './faults.js';
import { pause } from './turns.js';

/** Milliseconds: far longer than another process takes to make a file. */
const PATIENCE = 5_000;

/**
 * Turns a file to WAL, which it stays in. While another connection is about the same, SQLite refuses
 * at once and does not ask its busy handler, so that processes that start together on an empty folder
 * would end each other's start.
 * @throws SqliteError SQLITE_BUSY when it was not to be had for 5 s
 */
export function useWal(db: Database.Database): void {
  const started = performance.now();
  for (;;) {
    try {
      db.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      const busy = sqliteCode(error)?.startsWith('SQLITE_BUSY') === true;
      if (!busy || performance.now() - started > PATIENCE) throw error;
      pause();
    }
  }
}
