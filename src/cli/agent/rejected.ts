import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LineAnswer } from '../ingest.js';
import { PRIVATE } from './files.js';

const LONGEST_FILE = 1_048_576;

/** Keeps a line that the server will never take, with its reason. */
export type KeepRejected = (line: string, answer: LineAnswer) => void;

/** Keeps rejected lines in `rejected.ndjson`, and the file before it; older ones go. */
export function rejectedIn(folder: string): KeepRejected {
  const path = join(folder, 'rejected.ndjson');
  return (line, { status, code, detail }) => {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > LONGEST_FILE) renameSync(path, join(folder, 'rejected.1.ndjson'));
    const reason = JSON.stringify({ status, code, detail }).slice(0, -1);
    appendFileSync(path, `${reason},"line":${line}}\n`, { mode: PRIVATE });
  };
}
