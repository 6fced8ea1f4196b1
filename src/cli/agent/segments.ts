import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { appendDurably, PRIVATE, syncFolder } from './files.js';

/** Append-only files of lines, numbered upwards; only the newest is written. */
export interface Segments {
  /** Durable on return. Throws the system's error; then nothing of it stays. */
  append(lines: Uint8Array): void;
  /** Numbers, oldest first. */
  list(): readonly number[];
  /** The oldest segment's number; -1 when there is none. */
  oldest(): number;
  /** The whole lines from a byte offset, each with the offset after it; half a last line is left out. */
  read(segment: number, from: number): Generator<{ readonly text: string; readonly end: number }>;
  remove(segment: number): void;
  removeBefore(segment: number): void;
  /** Of all segments together. */
  readonly bytes: number;
}

const NAME = /^(\d{10})\.ndjson$/;

/**
 * Opens the segments in a folder. A segment of an earlier process is never written again: it may end
 * in half a line.
 *
 * @param least new segments get higher numbers than this one.
 */
export function openSegments(folder: string, maxBytes: number, least: number): Segments {
  const pathOf = (segment: number) => join(folder, `${String(segment).padStart(10, '0')}.ndjson`);
  const sizes = new Map<number, number>();
  for (const name of readdirSync(folder).toSorted()) {
    const number = NAME.exec(name)?.[1];
    if (number !== undefined) sizes.set(Number(number), statSync(join(folder, name)).size);
  }
  let newest = Math.max(least, ...sizes.keys());
  let writing: number | null = null;

  function close(): void {
    if (writing !== null) closeSync(writing);
    writing = null;
  }

  function writable(): number {
    if (writing !== null && (sizes.get(newest) ?? 0) < maxBytes) return writing;
    close();
    // 'ax' fails where the file is there: two agents on one folder never share a segment.
    writing = openSync(pathOf(newest + 1), 'ax', PRIVATE);
    newest += 1;
    sizes.set(newest, 0);
    syncFolder(folder);
    return writing;
  }

  function remove(segment: number): void {
    if (segment === newest) close();
    rmSync(pathOf(segment), { force: true });
    sizes.delete(segment);
  }

  return {
    append: (lines) => {
      const file = writable();
      try {
        appendDurably(file, lines);
      } catch (error) {
        // A full disk may have taken half of it: none may stay, for the caller will repeat it all.
        truncateSync(pathOf(newest), sizes.get(newest));
        // Nor an empty file for each attempt.
        if (sizes.get(newest) === 0) remove(newest);
        else close();
        throw error;
      }
      sizes.set(newest, (sizes.get(newest) ?? 0) + lines.length);
    },
    list: () => [...sizes.keys()],
    oldest: () => sizes.keys().next().value ?? -1,
    read: (segment, from) => linesOf(readFileSync(pathOf(segment)), from),
    remove,
    removeBefore: (segment) => {
      for (const number of sizes.keys()) if (number < segment) remove(number);
    },
    get bytes() {
      return [...sizes.values()].reduce((sum, size) => sum + size, 0);
    },
  };
}

function* linesOf(bytes: Buffer, from: number) {
  let start = from;
  for (;;) {
    const newline = bytes.indexOf(0x0a, start);
    if (newline < 0) return;
    yield { text: bytes.toString('utf8', start, newline), end: newline + 1 };
    start = newline + 1;
  }
}
