import { closeSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';

/**
 * Counts the commits of a log from outside: in SQLite's write-ahead log each commit is a frame that
 * says how large the database is after it (https://sqlite.org/fileformat2.html#walformat).
 */

const LOOK_MS = 100;
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** @returns how many events a commit took on average while `work` ran; NaN if none was seen */
export async function eventsPerCommit(logFile: string, work: Promise<unknown>): Promise<number> {
  const db = new Database(logFile, { readonly: true });
  const head = db.prepare<[], number>('SELECT ifnull(max(position), 0) FROM events').pluck();
  const wal = openSync(`${logFile}-wal`, 'r');
  const ended = new AbortController();
  const end = () => ended.abort();
  work.then(end, end);
  let events = 0;
  let commits = 0;
  try {
    let before = { ...readCommits(wal), head: head.get() ?? 0 };
    while (!ended.signal.aborted) {
      await sleep(LOOK_MS);
      const now = { ...readCommits(wal, before), head: head.get() ?? 0 };
      // After a checkpoint SQLite writes the file again from its beginning, under another salt.
      if (now.salt === before.salt) {
        events += now.head - before.head;
        commits += now.commits - before.commits;
      }
      before = now;
    }
  } finally {
    closeSync(wal);
    db.close();
  }
  return events / commits;
}

interface Seen {
  readonly salt: bigint;
  readonly commits: number;
  /** The offset of the first frame not looked at. */
  readonly end: number;
}

/** Goes on from what was seen before, if it still stands. */
function readCommits(wal: number, before?: Seen): Seen {
  const header = Buffer.alloc(HEADER_BYTES);
  readSync(wal, header, 0, HEADER_BYTES, 0);
  const pageBytes = header.readUInt32BE(8);
  const salt = header.readBigUInt64BE(16);
  let { commits, end } = before?.salt === salt ? before : { commits: 0, end: HEADER_BYTES };
  const frame = Buffer.alloc(FRAME_HEADER_BYTES);
  while (readSync(wal, frame, 0, FRAME_HEADER_BYTES, end) === FRAME_HEADER_BYTES) {
    if (frame.readBigUInt64BE(8) !== salt) break;
    if (frame.readUInt32BE(4) !== 0) commits += 1;
    end += FRAME_HEADER_BYTES + pageBytes;
  }
  return { salt, commits, end };
}
