import { appendFileSync, renameSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { LineAnswer } from '../ingest.js';
import { PRIVATE, sizeOf } from './files.js';

const LONGEST_FILE = 1_048_576;

/** Keeps a line that the server will never take, with its reason. Throws the system's error. */
export type KeepRejected = (line: string, answer: LineAnswer) => void;

/** Keeps rejected lines in `rejected.ndjson`, and the file before it; older ones go. */
export function rejectedIn(folder: string): KeepRejected {
  const path = join(folder, 'rejected.ndjson');
  return (line, { status, code, detail }) => {
    if (sizeOf(path) > LONGEST_FILE) renameSync(path, join(folder, 'rejected.1.ndjson'));
    const size = sizeOf(path);
    const reason = JSON.stringify({ status, code, detail }).slice(0, -1);
    try {
      appendFileSync(path, `${reason},"line":${line}}\n`, { mode: PRIVATE });
    } catch (error) {
      // A full disk may have taken half of it, and the caller will repeat it all.
      if (sizeOf(path) > size) truncateSync(path, size);
      throw error;
    }
  };
}
